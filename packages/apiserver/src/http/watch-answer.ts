import { isStatusError } from '@orrery/apimachinery';
import { anySignal, type Clock, inNextTurn } from '@orrery/base';
import type { ApiCall, EncodedEvent } from '../handler.ts';
import type { ServerContext } from './context.ts';
import type { Exchange } from './exchange.ts';
import { drained } from './send.ts';
import { statusErrorOf } from './status-answer.ts';
import type { WatchEncoder } from './watch-frame.ts';

/** Where the frames of one watch go. */
export interface WatchSink {
  /** Tells the client that the watch has begun. */
  start(): void;
  readonly started: boolean;
  /** Aborts when the client is gone; absent where the request's own signal says so. */
  readonly gone?: AbortSignal;
  /** Resolves when the client can take more; rejects when it takes nothing for too long, or is gone. */
  write(frames: readonly Buffer[]): Promise<void>;
  end(): void;
  /** Gives up on a client that takes nothing. */
  cut(): void;
}

/** A watch without `timeoutSeconds` lasts this long, and up to as long again, so that clients do not all return at once. */
const defaultWatchSeconds = 1800;

export function withWatchTimeout(call: ApiCall, random: { integer(bound: number): number }): ApiCall {
  const seconds = call.options?.timeoutSeconds ?? 0;
  if (seconds > 0) return call;
  return { ...call, options: { ...call.options, timeoutSeconds: defaultWatchSeconds + random.integer(defaultWatchSeconds) } };
}

/**
 * Pumps one watch into `sink` until it ends.
 *
 * @throws {StatusError} when the watch is refused before it began: the caller answers with it. Later errors become an ERROR event.
 */
export async function pumpWatch(
  context: ServerContext,
  exchange: Exchange,
  call: ApiCall,
  encoder: WatchEncoder,
  sink: WatchSink,
): Promise<void> {
  const ending = anySignal(exchange.signal, sink.gone);
  const events = context.handler.watch(call, ending.signal)[Symbol.asyncIterator]();
  let refused = false;
  inNextTurn(() => {
    if (!refused) sink.start(); // A watch of a quiet resource has begun too: clients wait for its headers.
  });
  try {
    for (let next = await events.next(); next.done !== true; next = await events.next()) {
      await sink.write(framesOf(next.value, encoder));
    }
    sink.end();
  } catch (error) {
    refused = !sink.started;
    if (ending.signal.aborted) throw ending.signal.reason;
    if (sink.started && !isStatusError(error)) sink.cut();
    if (!isStatusError(error) || (!sink.started && error.code !== 410)) throw error;
    await sink.write([encoder.errorFrame(statusErrorOf(error).toStatus())]);
    sink.end();
  } finally {
    ending.dispose();
    await events.return?.();
  }
}

function framesOf(batch: readonly EncodedEvent[], encoder: WatchEncoder): Buffer[] {
  return batch.map((event) => encoder.frame(event));
}

/** Frames as a chunked answer. */
export function newChunkedSink(exchange: Exchange, contentType: string, clock: Clock, stalledWriteMs: number): WatchSink {
  const { response, signal } = exchange;
  let started = false;
  const start = (): void => {
    if (started || response.headersSent) return;
    started = true;
    response.writeHead(200, { ...exchange.headers, 'Content-Type': contentType });
    response.flushHeaders();
  };
  return {
    get started() {
      return started;
    },
    start,
    async write(frames) {
      start();
      const [only] = frames;
      if (only === undefined) return;
      if (response.write(frames.length === 1 ? only : Buffer.concat(frames))) return;
      await withinStall(drained(response, signal), clock, stalledWriteMs);
    },
    end() {
      start();
      response.end();
    },
    cut: () => void response.destroy(),
  };
}

/** A client that takes nothing for so long is given up. */
export async function withinStall(work: Promise<void>, clock: Clock, stalledWriteMs: number): Promise<void> {
  let give: ((error: Error) => void) | undefined;
  const stalled = new Promise<never>((_resolve, reject) => {
    give = reject;
  });
  const timer = clock.after(stalledWriteMs, () => give?.(new Error(`the client took nothing for ${stalledWriteMs} ms`)), {
    background: true,
  });
  try {
    await Promise.race([work, stalled]);
  } finally {
    timer.cancel();
  }
}
