import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import type { SpdyConnection, SpdyStream } from './spdy-connection.ts';

/** Copies `source` into `stream` until it ends. The returned function stops that, and leaves the source as it is. */
export function pumpInto(stream: SpdyStream, source: Readable, connection: SpdyConnection): () => void {
  const onData = (chunk: Buffer | string): void => {
    if (stream.write(Buffer.from(chunk))) return;
    source.pause();
    void connection.drained().then(() => source.resume());
  };
  const stop = (): void => {
    source.off('data', onData).off('end', onEnd).off('close', onEnd).off('error', onEnd);
    source.pause();
  };
  const onEnd = (): void => {
    stop();
    stream.end();
  };
  source.on('data', onData).on('end', onEnd).on('close', onEnd).on('error', onEnd);
  if (source.readableEnded || source.destroyed) onEnd();
  return stop;
}

/** Writes to `target` and waits while it is full. What nobody takes any more is dropped. */
export const sinkTo =
  (target: Writable | undefined) =>
  async (data: Buffer): Promise<void> => {
    if (target === undefined || target.destroyed || target.writableEnded || target.write(data)) return;
    const done = new AbortController();
    const { signal } = done;
    const ends = ['drain', 'close', 'finish', 'error'].map((event) => once(target, event, { signal }));
    try {
      await Promise.race(ends);
    } catch {
      // It broke: the rest is dropped.
    } finally {
      done.abort();
      await Promise.allSettled(ends);
    }
  };
