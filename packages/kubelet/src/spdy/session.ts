import { Duplex } from 'node:stream';
import { type Deferred, deferred } from '@orrery/base';
import { controlFrame, dataFrameHead, FLAG_FIN, frameTypes, newFrameSplitter, type SpdyFrame, uint32 } from './frames.ts';
import { newHeaderCodec, type SpdyHeaders } from './header-codec.ts';

/** A stream that the client opened. Ending its writable side sends FIN; its readable side ends with the client's. */
export interface SpdyStream extends Duplex {
  readonly id: number;
  readonly headers: SpdyHeaders;
}

const FRAME_BYTES_MAX = 32 * 1024;
const STREAMS_MAX = 1000;
const REFUSED_STREAM = 3;
const INVALID_STREAM = 2;

/** How a stream reaches its session. */
interface Wire {
  send(...parts: readonly Buffer[]): Promise<void>;
  forget(id: number): void;
}

class Stream extends Duplex implements SpdyStream {
  readonly id: number;
  readonly headers: SpdyHeaders;
  readonly wire: Wire;
  wanted: Deferred<void> | undefined; // Waits for the reader, when it has enough.
  remoteEnded = false;

  constructor(id: number, headers: SpdyHeaders, wire: Wire) {
    super({ allowHalfOpen: true, readableHighWaterMark: 256 * 1024, writableHighWaterMark: 256 * 1024 });
    this.id = id;
    this.headers = headers;
    this.wire = wire;
  }

  override _read(): void {
    this.wanted?.resolve();
    this.wanted = undefined;
  }

  override _write(chunk: Buffer, _: string, done: (err?: Error | null) => void): void {
    this.writeFrames(chunk).then(() => done(), done);
  }

  private async writeFrames(chunk: Buffer): Promise<void> {
    for (let at = 0; at < chunk.length; at += FRAME_BYTES_MAX) {
      const part = chunk.subarray(at, at + FRAME_BYTES_MAX);
      await this.wire.send(dataFrameHead(this.id, 0, part.length), part);
    }
  }

  override _final(done: (err?: Error | null) => void): void {
    this.wire.send(dataFrameHead(this.id, FLAG_FIN, 0)).then(() => done(), done);
    if (this.remoteEnded) this.wire.forget(this.id);
  }

  override _destroy(err: Error | null, done: (err?: Error | null) => void): void {
    this.wanted?.resolve();
    this.wire.forget(this.id);
    done(err);
  }

  /** Hands over what came; waits while the reader has enough. */
  async accept(data: Buffer): Promise<void> {
    if (this.destroyed || this.push(data)) return;
    this.wanted = deferred<void>();
    await this.wanted.promise;
  }

  endRemote(): void {
    this.remoteEnded = true;
    if (!this.destroyed) this.push(null);
    if (this.writableFinished) this.wire.forget(this.id);
  }
}

export interface SpdySessionOptions {
  /** Bytes of the connection; closed by the session's end. */
  readonly connection: Duplex;
  /** Takes each new stream. False refuses it. */
  readonly onStream: (stream: SpdyStream) => boolean;
}

/**
 * The server side of SPDY/3.1, as far as Go's spdystream speaks it: streams that the client opens, data, half closes, resets and pings.
 * There are no windows, as spdystream has none: a reader that is slow stops the whole connection, and so the sender.
 *
 * Resolves when the connection ends.
 */
export async function serveSpdy({ connection, onStream }: SpdySessionOptions): Promise<void> {
  const streams = new Map<number, Stream>();
  const codec = newHeaderCodec();
  const split = newFrameSplitter();

  const wire: Wire = {
    async send(...parts) {
      if (connection.destroyed || connection.writableEnded) throw new Error('the connection is closed');
      connection.cork();
      let room = true;
      for (const part of parts) room = connection.write(part);
      connection.uncork();
      if (room) return;
      await new Promise<void>((resolve) => {
        const go = (): void => {
          connection.off('drain', go);
          connection.off('close', go);
          resolve();
        };
        connection.on('drain', go);
        connection.on('close', go);
      });
    },
    forget: (id) => void streams.delete(id),
  };

  const reset = (id: number, status: number): Promise<void> => wire.send(controlFrame(frameTypes.rstStream, 0, uint32(id, status)));

  async function open(payload: Buffer, flags: number): Promise<void> {
    const id = payload.readUInt32BE(0) & 0x7fffffff;
    const headers = await codec.decode(payload.subarray(10)); // Always decoded: the codec must see every block.
    const stream = new Stream(id, headers, wire);
    if (streams.has(id) || streams.size >= STREAMS_MAX) return await reset(id, REFUSED_STREAM);
    streams.set(id, stream);
    await wire.send(controlFrame(frameTypes.synReply, 0, Buffer.concat([uint32(id), await codec.encode(new Map())])));
    if (!onStream(stream)) {
      stream.destroy();
      return await reset(id, REFUSED_STREAM);
    }
    if ((flags & FLAG_FIN) !== 0) stream.endRemote();
  }

  async function handle(frame: SpdyFrame): Promise<void> {
    if (frame.kind === 'data') {
      const stream = streams.get(frame.streamId);
      if (stream === undefined) {
        if (frame.payload.length > 0) await reset(frame.streamId, INVALID_STREAM);
        return;
      }
      if (frame.payload.length > 0) await stream.accept(frame.payload);
      if ((frame.flags & FLAG_FIN) !== 0) stream.endRemote();
    } else if (frame.type === frameTypes.synStream) {
      await open(frame.payload, frame.flags);
    } else if (frame.type === frameTypes.ping) {
      await wire.send(controlFrame(frameTypes.ping, 0, frame.payload));
    } else if (frame.type === frameTypes.rstStream) {
      streams.get(frame.payload.readUInt32BE(0) & 0x7fffffff)?.destroy();
    } else if (frame.type === frameTypes.headers) {
      await codec.decode(frame.payload.subarray(4));
    } // Settings and windows mean nothing here; after GOAWAY the client closes.
  }

  try {
    for await (const chunk of connection) {
      for (const frame of split(chunk as Buffer)) await handle(frame);
    }
  } finally {
    for (const stream of [...streams.values()]) stream.destroy();
    codec.close();
    connection.destroy();
  }
}
