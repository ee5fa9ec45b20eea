import type { Clock } from '@orrery/base';
import type { HttpRequest, HttpResponse } from './exchange.ts';

/** What a refused client may still send before its connection is cut: a client that writes before it reads gets to see its answer. */
const discardedBytesMax = 16 * 1024 * 1024;
const discardMs = 10_000;

/** Reads and drops the rest of a body whose request has been answered. */
export function discardBody(request: HttpRequest, response: HttpResponse, clock: Clock): void {
  let left = discardedBytesMax;
  const cut = (): void => void (request.httpVersionMajor === 1 ? request.socket.destroy() : response.destroy());
  const timer = clock.after(discardMs, cut, { background: true });
  request.once('close', () => timer.cancel());
  request.once('end', () => timer.cancel());
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) cut();
  });
  request.resume();
}
