import type { Backend, BackendRange, CommittedTransaction, PersistedLease } from '../../mvcc/backend.ts';
import type { KeyValue, StoreEvent } from '../../store.ts';
import { newOrderedMap } from './ordered-map.ts';

/** Events that one step of a compaction forgets. */
const trimEventsMax = 2000;

/** Versions of a key, oldest first, never empty. */
type Versions = StoreEvent[];

const entryOf = (event: StoreEvent | undefined): KeyValue | undefined => (event?.type === 'put' ? event.entry : undefined);
const asOf = (versions: Versions, revision: number): StoreEvent | undefined => versions.findLast((version) => version.revision <= revision);

/** History in the memory of this process: for tests, and for clusters that nobody wants to keep. Never out of space, never corrupt. */
export function newMemoryBackend(): Backend {
  const history = newOrderedMap<Versions>();
  const leases = new Map<number, number>(); // Lease to its ttlSeconds.
  let log: CommittedTransaction[] = []; // Without a gap: log[0] has revision `logStart`.
  let logStart = 2; // The oldest revision that the log has or will have.
  let revision = 1;
  let compactedRevision = 0;
  let leaseMax = 0;

  const newest = (key: string): KeyValue | undefined => entryOf(history.get(key)?.at(-1));

  const range = (start: string, end: string, limit: number, at: number): BackendRange => {
    const entries: KeyValue[] = [];
    let count = 0;
    for (const [, versions] of history.entries(start, end)) {
      const entry = entryOf(at === revision ? versions.at(-1) : asOf(versions, at));
      if (entry === undefined) continue;
      count += 1;
      if (limit === 0 || count <= limit) entries.push(entry);
    }
    return { entries, count };
  };

  const leaseKeys = (lease: number): string[] =>
    [...history.entries('', '\u{10ffff}')].filter(([, versions]) => entryOf(versions.at(-1))?.lease === lease).map(([key]) => key);

  /** What `event`, itself below the compaction, has superseded, and a deletion too: nobody can read that any more. */
  const forget = (event: StoreEvent): void => {
    const versions = history.get(event.key) ?? [];
    const superseded = versions.findIndex((version) => version.revision >= event.revision); // Few: what is older was forgotten before.
    versions.splice(0, event.type === 'delete' ? superseded + 1 : superseded);
    if (versions.length === 0) history.delete(event.key);
  };

  const append = (event: StoreEvent): void => {
    const versions = history.get(event.key);
    if (versions === undefined) history.set(event.key, [event]);
    else versions.push(event);
  };

  return {
    get revision() {
      return revision;
    },
    get compactedRevision() {
      return compactedRevision;
    },
    get leaseMax() {
      return leaseMax;
    },
    get: newest,
    getAt: (key, at) => entryOf(asOf(history.get(key) ?? [], at)),
    range,
    readLog(fromRevision, eventsMax) {
      const first = Math.max(fromRevision, logStart) - logStart;
      let events = 0;
      let end = first;
      for (; end < log.length && events < eventsMax; end += 1) events += (log[end] as CommittedTransaction).events.length;
      return log.slice(first, end);
    },
    leases: () => [...leases].map(([lease, ttlSeconds]): PersistedLease => ({ lease, ttlSeconds, keys: leaseKeys(lease) })),
    async commit(group) {
      for (const transaction of group.transactions) {
        for (const event of transaction.events) append(event);
        log.push(transaction);
        revision = transaction.revision;
      }
      for (const change of group.leases) {
        if (change.type === 'revoke') leases.delete(change.lease);
        else leases.set(change.lease, change.ttlSeconds);
        leaseMax = Math.max(leaseMax, change.lease);
      }
      compactedRevision = group.compactedRevision ?? compactedRevision;
    },
    async trim() {
      let events = 0;
      let drop = 0;
      for (; logStart + drop < compactedRevision && events < trimEventsMax; drop += 1) {
        const transaction = log[drop] as CommittedTransaction;
        for (const event of transaction.events) forget(event);
        events += transaction.events.length;
      }
      log = log.slice(drop);
      logStart += drop;
      return logStart < compactedRevision;
    },
    async close() {},
  };
}
