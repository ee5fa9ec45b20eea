import { setMaxListeners } from 'node:events';
import { Duplex, type Writable } from 'node:stream';
import type { Logger } from '@orrery/component';
import type { Runtime } from '@orrery/cri';
import type { WebSocket } from 'ws';
import { messageOf } from '../runtime/errors.ts';
import { type SpdyStream, serveSpdy } from '../spdy/session.ts';

export interface ForwardTarget {
  readonly runtime: Runtime;
  readonly podSandboxId: string;
  /** As `name_namespace`. */
  readonly podName: string;
  readonly uid: string;
  readonly log: Logger;
}

/** Carries one connection; what goes wrong is written to `errors`, which then ends. */
async function forward(target: ForwardTarget, port: number, data: Duplex, errors: Writable, signal: AbortSignal): Promise<void> {
  const { runtime, podSandboxId, podName, uid } = target;
  try {
    await runtime.portForward({ podSandboxId, port }, { readable: data, writable: data }, signal);
  } catch (err) {
    if (!signal.aborted && !errors.destroyed)
      errors.write(`error forwarding port ${port} to pod ${podName}, uid ${uid}: ${messageOf(err)}`);
  }
  for (const stream of [data, errors]) if (!stream.destroyed && !stream.writableEnded) stream.end();
}

/** Pairs of streams by `requestid`: the error stream comes first, then the data stream. Source: kubelet portforward/httpstream.go. */
export async function forwardOverSpdy(connection: Duplex, target: ForwardTarget): Promise<void> {
  const pairs = new Map<string, { error?: SpdyStream; data?: SpdyStream }>();
  const stop = new AbortController();
  setMaxListeners(0, stop.signal); // Every connection that is carried listens.

  function onStream(stream: SpdyStream): boolean {
    const type = stream.headers.get('streamtype');
    const port = Number(stream.headers.get('port'));
    if ((type !== 'error' && type !== 'data') || !Number.isInteger(port) || port < 1 || port > 65535) return false;
    stream.on('error', () => stream.destroy()); // Told by the end of the pair.
    const request = stream.headers.get('requestid') ?? String(type === 'error' ? stream.id : stream.id - 2); // Old clients send none.
    const pair = pairs.get(request) ?? {};
    if (pair[type] !== undefined) return false;
    pair[type] = stream;
    pairs.set(request, pair);
    if (pair.error === undefined || pair.data === undefined) return true;
    pairs.delete(request);
    pair.error.resume(); // Nothing comes on it but its end.
    void forward(target, port, pair.data, pair.error, stop.signal);
    return true;
  }

  try {
    await serveSpdy({ connection, onStream });
  } finally {
    stop.abort();
  }
}

/** A WebSocket message for a channel: its number, then the bytes; in the base64 protocols the digit, then base64. */
export interface ChannelCodec {
  encode(channel: number, data: Buffer): Buffer | string;
  decode(message: Buffer): { readonly channel: number; readonly data: Buffer } | undefined;
}

class ChannelStream extends Duplex {
  readonly transmit: (data: Buffer, done: (err?: Error | null) => void) => void;
  readonly onRead: () => void;
  constructor(transmit: (data: Buffer, done: (err?: Error | null) => void) => void, onRead: () => void) {
    super({ allowHalfOpen: true, readableHighWaterMark: 256 * 1024 });
    this.transmit = transmit;
    this.onRead = onRead;
  }
  override _read(): void {
    this.onRead();
  }
  override _write(chunk: Buffer, _: string, done: (err?: Error | null) => void): void {
    this.transmit(chunk, done);
  }
}

/**
 * The older protocol: for each port asked for, a data and an error channel, each beginning with the port in two bytes.
 * Source: kubelet portforward/websocket.go.
 */
export async function forwardOverChannels(
  socket: WebSocket,
  codec: ChannelCodec,
  ports: readonly number[],
  target: ForwardTarget,
): Promise<void> {
  const stop = new AbortController();
  setMaxListeners(0, stop.signal); // Every connection that is carried listens.
  const streams = ports.flatMap((port, index) =>
    [2 * index, 2 * index + 1].map((channel) => {
      const transmit = (data: Buffer, done: (err?: Error | null) => void): void =>
        socket.send(codec.encode(channel, data), (err) => done(err));
      const stream = new ChannelStream(transmit, () => socket.resume());
      stream.on('error', () => stream.destroy());
      const head = Buffer.alloc(2);
      head.writeUInt16LE(port);
      stream.write(head);
      return stream;
    }),
  );
  socket.on('message', (message: Buffer) => {
    const decoded = codec.decode(message);
    const stream = decoded === undefined ? undefined : streams[decoded.channel];
    if (decoded === undefined || stream === undefined || stream.destroyed || decoded.channel % 2 === 1) return;
    if (decoded.data.length > 0 && !stream.push(decoded.data)) socket.pause();
  });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  void closed.then(() => {
    stop.abort();
    for (const stream of streams) stream.destroy();
  });
  const forwards = ports.map((port, index) => {
    const [data, errors] = [streams[2 * index], streams[2 * index + 1]];
    return data === undefined || errors === undefined ? Promise.resolve() : forward(target, port, data, errors, stop.signal);
  });
  await Promise.race([Promise.all(forwards), closed]);
  socket.close(1000);
}
