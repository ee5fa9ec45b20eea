import type { CommittedTransaction } from './backend.ts';

/** Bound of what is kept in memory for watchers that keep up; the others read the backend's log. */
const eventsMax = 4096;
const bytesMax = 16 * 1024 * 1024;

/** The newest transactions, without a gap, up to the newest durable one. Shared by every watcher. */
export interface RecentLog {
  push(transactions: readonly CommittedTransaction[]): void;
  /** All transactions from `fromRevision` on; undefined: it no longer goes back that far. `fromRevision` is not in the future. */
  since(fromRevision: number): readonly CommittedTransaction[] | undefined;
}

const bytesOf = (transaction: CommittedTransaction): number =>
  transaction.events.reduce((sum, event) => sum + event.entry.value.byteLength + (event.previous?.value.byteLength ?? 0), 0);

export function newRecentLog(): RecentLog {
  let log: CommittedTransaction[] = []; // Revisions have no gap: an index is a difference of revisions.
  let events = 0;
  let bytes = 0;

  const forget = (): void => {
    let drop = 0;
    for (; drop < log.length && (events > eventsMax / 2 || bytes > bytesMax / 2); drop += 1) {
      const oldest = log[drop] as CommittedTransaction;
      events -= oldest.events.length;
      bytes -= bytesOf(oldest);
    }
    log = log.slice(drop);
  };

  return {
    push(transactions) {
      for (const transaction of transactions) {
        log.push(transaction);
        events += transaction.events.length;
        bytes += bytesOf(transaction);
      }
      if (events > eventsMax || bytes > bytesMax) forget(); // By half at a time, so that the copying is paid rarely.
    },
    since(fromRevision) {
      const first = log[0]?.revision;
      return first === undefined || fromRevision < first ? undefined : log.slice(fromRevision - first);
    },
  };
}
