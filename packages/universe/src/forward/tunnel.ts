import type { Socket } from 'node:net';
import type { Transport } from '@orrery/client';
import { type Channels, openChannels } from '../exec/channels.ts';
import { LaunchProblem } from '../options/settings.ts';

export interface PodTarget {
  readonly namespace: string;
  readonly name: string;
}

export interface Tunnelled {
  /** Whether bytes of the connection have left or come: it cannot begin again elsewhere. */
  readonly carried: boolean;
  /** Why it could not be carried to its end. */
  readonly problem: Error | undefined;
}

/** Both channels begin with the port, in two bytes. */
const HEAD_BYTES = 2;
const channelOf = { data: 0, errors: 1 } as const;

/**
 * Carries one connection to a pod's port, until either side ends it. `v4.channel.k8s.io` is what every API server passes to its nodes,
 * before and after 1.30; it has no way to say that only this side has ended, so that a local half-close is not passed on: the answer still
 * comes. Source: kubelet portforward/websocket.go.
 */
export async function tunnelTo(
  { namespace, name }: PodTarget,
  { transport, remote }: { readonly transport: Transport; readonly remote: number },
  socket: Socket,
  signal: AbortSignal,
): Promise<Tunnelled> {
  const heads = [HEAD_BYTES, HEAD_BYTES];
  const errors: Buffer[] = [];
  let carried = false;
  let channels: Channels;
  const onMessage = (channel: number, message: Buffer): void => {
    const head = heads[channel] ?? 0;
    heads[channel] = Math.max(0, head - message.length);
    const data = message.subarray(Math.min(head, message.length));
    if (data.length === 0) return;
    if (channel === channelOf.errors) errors.push(data);
    if (channel !== channelOf.data || !socket.writable) return;
    carried = true;
    if (socket.write(data)) return;
    channels.pause();
    socket.once('drain', () => channels.resume());
  };
  try {
    const path = `/api/v1/namespaces/${namespace}/pods/${name}/portforward?ports=${remote}`;
    channels = await openChannels({ transport, path, protocols: ['v4.channel.k8s.io'], onMessage, signal });
  } catch (error) {
    return { carried, problem: error instanceof Error ? error : new Error(String(error)) };
  }
  const onData = (data: Buffer): void => {
    carried = true;
    if (channels.send(channelOf.data, data)) return;
    socket.pause();
    void channels.drained().then(() => socket.resume());
  };
  const onClose = (): void => channels.close();
  if (socket.destroyed) onClose();
  socket.on('data', onData);
  socket.once('close', onClose);
  socket.resume();
  const broken = await channels.closed;
  socket.off('data', onData);
  socket.off('close', onClose);
  const said = Buffer.concat(errors).toString('utf8');
  if (said !== '') return { carried, problem: new LaunchProblem(said) };
  if (broken !== undefined && !socket.destroyed) return { carried, problem: broken };
  await new Promise<void>((resolve) => (socket.writable ? socket.end(resolve) : resolve()));
  return { carried, problem: undefined };
}
