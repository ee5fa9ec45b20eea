import { newBadRequest } from '@orrery/apimachinery';
import { durationMsOf } from './query-values.ts';
import { isLongRunning, type RequestInfo } from './request-info.ts';

/**
 * Milliseconds this request may take; undefined: no deadline. `?timeout=` shortens the server's own, `0` and longer ones do not count.
 *
 * @throws {StatusError} 400 for a malformed duration.
 */
export function deadlineMsOf(info: RequestInfo, query: URLSearchParams, requestTimeoutMs: number): number | undefined {
  if (isLongRunning(info)) return undefined;
  const asked = query.get('timeout') ?? '';
  if (asked === '') return requestTimeoutMs;
  const ms = durationMsOf(asked);
  if (ms === undefined) {
    throw newBadRequest(`invalid timeout specified in the request URL - time: invalid duration ${JSON.stringify(asked)}`);
  }
  return ms > 0 && ms < requestTimeoutMs ? ms : requestTimeoutMs;
}
