import { StatusError } from '@orrery/apimachinery';
import type { HttpRequest } from './exchange.ts';

/**
 * The whole body.
 *
 * @param bytesMax - A longer body is refused: at once when the client names its length, otherwise when it is reached.
 * @throws {StatusError} 413 for a body that is too long, 400 when the client breaks off.
 */
export function readBody(request: HttpRequest, bytesMax: number, signal: AbortSignal): Promise<Buffer> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > bytesMax) return Promise.reject(tooLarge(bytesMax));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const settle = (finish: () => void): void => {
      request.removeListener('data', onData);
      request.removeListener('end', onEnd);
      request.removeListener('error', onError);
      request.removeListener('close', onClose);
      signal.removeEventListener('abort', onAbort);
      finish();
    };
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > bytesMax) {
        request.pause();
        settle(() => reject(tooLarge(bytesMax)));
      } else chunks.push(chunk);
    };
    const onEnd = (): void =>
      settle(() => resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, size)));
    const onError = (error: Error): void => settle(() => reject(brokenOff(error)));
    const onClose = (): void => settle(() => reject(brokenOff(undefined)));
    const onAbort = (): void => settle(() => reject(signal.reason));
    request.on('data', onData);
    request.on('end', onEnd);
    request.on('error', onError);
    request.on('close', onClose);
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    else if (request.readableEnded) onEnd();
  });
}

const tooLarge = (bytesMax: number): StatusError =>
  new StatusError('RequestEntityTooLarge', `Request entity too large: limit is ${bytesMax}`);

const brokenOff = (cause: unknown): StatusError => new StatusError('BadRequest', 'the request body ended early', undefined, { cause });
