import type { Clock } from '@orrery/base';
import type { Logger } from '@orrery/component';
import { StorageError, type Store } from '@orrery/storage';

export interface CompactorOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  /** @default 5 minutes, as upstream's --etcd-compaction-interval */
  readonly intervalMs?: number;
}

export interface Compactor {
  /** Ends it, after the compaction that is under way. Idempotent. */
  close(): Promise<void>;
}

const defaultIntervalMs = 5 * 60_000;

/**
 * Forgets the store's history: at each interval all that is older than one interval. Continue tokens, and watches from an old version,
 * live at least that long, and twice that long at most.
 */
export function startCompactor({ store, clock, log, intervalMs = defaultIntervalMs }: CompactorOptions): Compactor {
  /** The store's revision one interval ago. */
  let mark = store.revision;
  let closed = false;
  let running: Promise<void> = Promise.resolve();

  const compact = async (revision: number): Promise<void> => {
    if (revision <= store.compactedRevision) return;
    try {
      await store.compact(revision);
    } catch (error) {
      const expected = error instanceof StorageError && (error.code === 'Compacted' || error.code === 'Closed');
      if (!expected) log.error('The history was not compacted: it is tried again later.', { revision, error });
    }
  };
  const tick = (): void => {
    const revision = mark;
    mark = store.revision;
    running = compact(revision).then(() => {
      if (!closed) timer = clock.after(intervalMs, tick, { background: true });
    });
  };
  let timer = clock.after(intervalMs, tick, { background: true });
  return {
    async close() {
      closed = true;
      timer.cancel();
      await running;
    },
  };
}
