import type { ServerContext } from './context.ts';
import { isLongRunning, type RequestInfo } from './request-info.ts';
import { tooManyRequests } from './status-answer.ts';

/** Counts requests and refuses what is more than the limits allow. */
export interface Gate {
  /**
   * Lets a request in. The result must be called when it is done.
   *
   * @throws {StatusError} 429 when too many are being served.
   */
  enter(info: RequestInfo, verb: string): () => void;
}

const readVerbs = new Set(['get', 'list', 'watch', 'head', 'options']);

export function newGate({ limits, metrics }: Pick<ServerContext, 'limits' | 'metrics'>): Gate {
  /** Requests inside, by kind. Each is at most its limit. */
  const inside = { readOnly: 0, mutating: 0, watch: 0 };
  const most = { readOnly: limits.readsInFlightMax, mutating: limits.writesInFlightMax, watch: limits.watchesMax };
  return {
    enter(info, verb) {
      const long = isLongRunning(info);
      const kind = long ? 'watch' : readVerbs.has(info.verb) ? 'readOnly' : 'mutating';
      if (inside[kind] >= most[kind]) {
        metrics.rejected(kind);
        throw tooManyRequests('Too many requests, please try again later.');
      }
      inside[kind]++;
      if (kind === 'watch') metrics.longRunning(info, verb, 1);
      else metrics.inFlight(kind, 1);
      return () => {
        inside[kind]--;
        if (kind === 'watch') metrics.longRunning(info, verb, -1);
        else metrics.inFlight(kind, -1);
      };
    },
  };
}
