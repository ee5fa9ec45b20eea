import { createHash } from 'node:crypto';
import { systemRandom } from '@orrery/base';
import type { Transport } from '@orrery/client';
import { LaunchProblem } from '../options/settings.ts';
import { encodeFrame, newFrameReader, opcodes } from './frames.ts';

export interface ChannelOptions {
  readonly transport: Transport;
  /** Path and query of the subresource. */
  readonly path: string;
  /** Subprotocols, the preferred first. */
  readonly protocols: readonly string[];
  /** A message, in order. */
  readonly onMessage: (channel: number, data: Buffer) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Kubernetes' streams over a WebSocket: each message begins with the number of its channel. */
export interface Channels {
  /** The subprotocol that the server chose. */
  readonly protocol: string;
  /** False when the connection is full: wait for {@link drained} before sending more. */
  send(channel: number, data: Uint8Array): boolean;
  /** Resolves when there is room, or when the connection is gone. */
  drained(): Promise<void>;
  /** No more messages come until `resume`; the server is held back. */
  pause(): void;
  resume(): void;
  close(): void;
  /** Resolves when the connection has ended: undefined after a closing handshake, else what broke it. */
  readonly closed: Promise<Error | undefined>;
}

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Rejects with the server's StatusError when it refuses. After the signal aborted the connection is destroyed. */
export async function openChannels(options: ChannelOptions): Promise<Channels> {
  const { transport, path, protocols, signal } = options;
  if (transport.upgrade === undefined) throw new LaunchProblem('this connection carries no streams');
  const key = Buffer.from(systemRandom.bytes(16)).toString('base64');
  const headers = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': key,
    'sec-websocket-protocol': protocols.join(', '),
  };
  const { stream, headers: answer } = await transport.upgrade({ method: 'GET', path, headers }, signal);
  stream.on('error', () => undefined); // Told by `close`; set before anything can be thrown.
  const protocol = answer['sec-websocket-protocol'] ?? '';
  if (
    answer['sec-websocket-accept'] !==
      createHash('sha1')
        .update(key + GUID)
        .digest('base64') ||
    !protocols.includes(protocol)
  ) {
    stream.destroy();
    throw new LaunchProblem(`the API server speaks none of ${protocols.join(', ')}`);
  }
  return overStream(stream, protocol, options);
}

type Stream = Awaited<ReturnType<NonNullable<Transport['upgrade']>>>['stream'];

function overStream(stream: Stream, protocol: string, { onMessage, signal }: ChannelOptions): Channels {
  let broken: Error | undefined;
  let shaken = false; // A close frame came or went.
  const write = (opcode: number, payload: Uint8Array): boolean =>
    stream.writable ? stream.write(encodeFrame(opcode, payload, Buffer.from(systemRandom.bytes(4)))) : true;
  const destroy = (error?: Error): void => {
    broken ??= error;
    stream.destroy();
  };
  const onAbort = (): void => destroy(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
  const closed = new Promise<Error | undefined>((resolve) => {
    stream.once('error', (error: Error) => {
      broken ??= error;
    });
    stream.once('close', () => {
      signal?.removeEventListener('abort', onAbort);
      resolve(broken ?? (shaken ? undefined : new Error('the connection was closed')));
    });
  });
  const end = (): void => {
    if (!shaken) write(opcodes.close, Buffer.from([0x03, 0xe8]));
    shaken = true;
    stream.end();
    stream.resume();
  };
  const read = newMessageReader(onMessage, {
    pong: (payload) => void write(opcodes.pong, payload),
    close: end,
  });
  stream.on('data', (chunk: Buffer) => {
    try {
      read(chunk);
    } catch (error) {
      destroy(error instanceof Error ? error : new Error(String(error)));
    }
  });
  stream.once('end', () => stream.destroy());
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  return {
    protocol,
    send: (channel, data) => write(opcodes.binary, Buffer.concat([Buffer.from([channel]), data])),
    drained: () =>
      stream.writableNeedDrain && !stream.destroyed
        ? Promise.race([new Promise<void>((resolve) => stream.once('drain', () => resolve())), closed.then(() => undefined)])
        : Promise.resolve(),
    pause: () => void stream.pause(),
    resume: () => void stream.resume(),
    close: end,
    closed,
  };
}

interface Control {
  pong(payload: Buffer): void;
  close(): void;
}

/** Joins fragments, answers pings, and takes the channel's number off each message. */
function newMessageReader(onMessage: ChannelOptions['onMessage'], control: Control): (chunk: Buffer) => void {
  const frames = newFrameReader();
  let fragments: Buffer[] = [];
  return (chunk) => {
    for (const { opcode, final, payload } of frames(chunk)) {
      if (opcode === opcodes.ping) control.pong(payload);
      else if (opcode === opcodes.close) control.close();
      else if (opcode <= opcodes.binary) {
        fragments.push(payload);
        if (!final) continue;
        const message = fragments.length === 1 ? payload : Buffer.concat(fragments);
        fragments = [];
        if (message.length > 0) onMessage(message[0] ?? 0, message.subarray(1));
      }
    }
  };
}
