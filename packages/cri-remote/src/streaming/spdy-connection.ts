import type { Duplex } from 'node:stream';
import { type Deferred, deferred } from '@orrery/base';
import { RuntimeError } from '@orrery/cri';
import { cancelStream, DATA_BYTES_MAX, dataFrame, type Frame, FrameReader, HeaderBlocks, synStream } from './spdy-frames.ts';

/** One stream of a connection. */
export interface SpdyStream {
  /** False: the connection is full; wait for {@link SpdyConnection.drained}. Nothing is sent after {@link end}. */
  write(data: Buffer): boolean;
  /** Nothing more comes from here; the other side may go on. */
  end(): void;
  /** Resolves when the other side has ended the stream, or the connection is gone. */
  readonly ended: Promise<void>;
}

export interface SpdyConnection {
  /** @param sink - Gets what arrives; while it waits, the connection does. */
  open(headers: Readonly<Record<string, string>>, sink: (data: Buffer) => Promise<void> | void): Promise<SpdyStream>;
  drained(): Promise<void>;
  /** Resolves when the connection is gone, for whatever reason. */
  readonly closed: Promise<void>;
  close(): void;
}

interface StreamState {
  readonly sink: (data: Buffer) => Promise<void> | void;
  readonly opened: Deferred<void>;
  readonly ended: Deferred<void>;
}

/** Speaks SPDY on `socket` as the client. Streams end when the connection does. */
export function newSpdyConnection(socket: Duplex): SpdyConnection {
  const streams = new Map<number, StreamState>();
  const blocks = new HeaderBlocks();
  let lastId = -1; // A client's streams have odd numbers.
  socket.on('error', () => undefined); // The read loop ends, and with it every stream.
  const closed = readFrames(socket, streams).finally(() => {
    socket.destroy();
    for (const { opened, ended } of streams.values()) {
      opened.reject(new RuntimeError('UNAVAILABLE', 'the streaming server closed the connection'));
      ended.resolve();
    }
  });

  const streamOf = (id: number, { ended }: StreamState): SpdyStream => {
    let open = true;
    return {
      ended: ended.promise,
      write(data) {
        let room = true;
        for (let at = 0; open && !socket.destroyed && at < data.length; at += DATA_BYTES_MAX)
          room = socket.write(dataFrame(id, data.subarray(at, at + DATA_BYTES_MAX), false));
        return room;
      },
      end() {
        if (open && !socket.destroyed) socket.write(dataFrame(id, Buffer.alloc(0), true));
        open = false;
      },
    };
  };

  return {
    closed,
    async open(headers, sink) {
      lastId += 2;
      const id = lastId;
      const state: StreamState = { sink, opened: deferred(), ended: deferred() };
      streams.set(id, state);
      socket.write(synStream(id, blocks.next(headers)));
      await state.opened.promise;
      return streamOf(id, state);
    },
    drained: () =>
      new Promise((resolve) => {
        if (socket.destroyed || !socket.writableNeedDrain) return resolve();
        socket.once('drain', () => resolve());
        socket.once('close', () => resolve());
      }),
    close: () => void socket.destroy(),
  };
}

/** Ends with the connection, also a broken one: what that means is for the streams' users to say. */
async function readFrames(socket: Duplex, streams: ReadonlyMap<number, StreamState>): Promise<void> {
  const reader = new FrameReader();
  try {
    for await (const chunk of socket) {
      for (const frame of reader.push(chunk as Buffer)) await handle(socket, streams, frame);
    }
  } catch {
    // A reset connection: every stream has ended.
  }
}

async function handle(socket: Duplex, streams: ReadonlyMap<number, StreamState>, frame: Frame): Promise<void> {
  if (frame.type === 'ping') {
    if (frame.id % 2 === 0 && !socket.destroyed) socket.write(frame.frame); // Even numbers are the server's: an echo is wanted.
    return;
  }
  if (frame.type === 'goaway' || frame.type === 'other') return;
  const stream = streams.get(frame.streamId);
  if (stream === undefined) return;
  if (frame.type === 'reset') {
    stream.opened.reject(new RuntimeError('INTERNAL', `the streaming server refused the stream with status ${frame.status}`));
    stream.ended.resolve();
    return;
  }
  if (frame.type === 'reply') stream.opened.resolve();
  else if (frame.data.length > 0) {
    try {
      await stream.sink(frame.data);
    } catch {
      if (!socket.destroyed) socket.write(cancelStream(frame.streamId)); // Nobody reads any more.
    }
  }
  if (frame.fin) stream.ended.resolve();
}
