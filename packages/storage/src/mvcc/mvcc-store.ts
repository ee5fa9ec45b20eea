import { assert, type Clock, newMutex } from '@orrery/base';
import { type Compare, StorageError, type Store, type TransactResult, type WriteOp } from '../store.ts';
import type { Backend } from './backend.ts';
import { asStorageError, newCommitter } from './committer.ts';
import { newLeaseTable } from './lease-table.ts';
import { checkSize, newStaging } from './staging.ts';
import { newWatchHub } from './watch-hub.ts';

export interface MvccStoreOptions {
  readonly backend: Backend;
  readonly clock: Clock;
  /** See `CommitterOptions.gather`. */
  readonly gather: (flush: () => void) => void;
}

/** The store's contract over a backend: decides transactions, gathers them into groups, publishes what is durable, lets leases expire. */
export function newMvccStore(options: MvccStoreOptions): Store {
  const { backend } = options;
  const staging = newStaging(backend);
  const hub = newWatchHub(backend);
  const compacting = newMutex();
  let failure: StorageError | undefined; // Why nothing works any more: closed, or the backend failed.
  let closing: Promise<void> | undefined;
  let background: Promise<void> = Promise.resolve(); // The compaction that an earlier process did not finish.

  const leases = newLeaseTable({
    clock: options.clock,
    leaseMax: backend.leaseMax,
    // A failure needs no handling here: without space the lease starts again, and any other ends the store for everybody.
    onExpired: (lease) => void revokeLease(lease).catch(() => undefined),
  });
  leases.reset(backend.leases());

  const stop = (error: StorageError): void => {
    failure ??= error;
    leases.close();
    hub.close(error);
  };

  const committer = newCommitter({
    backend,
    gather: options.gather,
    onDurable(group) {
      for (const transaction of group.transactions) staging.settle(transaction.events);
      if (group.transactions.length > 0) hub.publish(group.transactions);
      else hub.wake();
    },
    onFailed(error, fatal) {
      staging.drop();
      if (fatal) stop(error);
      else leases.reset(backend.leases());
    },
  });

  const checkOpen = (): void => {
    if (failure !== undefined) throw failure;
  };

  /** Runs `fn` on the open store; what is no `StorageError` ends it. */
  const reading = <T>(fn: () => T): T => {
    checkOpen();
    try {
      return fn();
    } catch (error) {
      const cause = asStorageError(error);
      if (cause.code === 'Corrupt') stop(cause);
      throw cause;
    }
  };

  const checkReadable = (revision: number): void => {
    if (revision > backend.revision)
      throw new StorageError('FutureRevision', `revision ${revision} is after the newest, ${backend.revision}`);
    if (revision < backend.compactedRevision) {
      throw new StorageError('Compacted', `revision ${revision} is compacted; the oldest is ${backend.compactedRevision}`);
    }
  };

  const applyWrites = (ops: readonly WriteOp[]) => {
    const events = staging.apply(ops);
    leases.apply(events);
    return events.length === 0 ? {} : { transaction: { revision: staging.revision, events } };
  };

  const checkLease = (lease: number): void => {
    if (!leases.has(lease)) throw new StorageError('LeaseNotFound', `lease ${lease} does not exist`);
  };

  const decide = (compares: readonly Compare[], ops: readonly WriteOp[]) => {
    if (!staging.holds(compares)) {
      const current = compares.map((compare) => staging.get(compare.key));
      return { part: {}, result: { succeeded: false, revision: staging.revision, current } as const };
    }
    for (const op of ops) if (op.type === 'put' && op.lease !== undefined && op.lease !== 0) checkLease(op.lease);
    const part = applyWrites(ops);
    return { part, result: { succeeded: true, revision: staging.revision } as const };
  };

  const transact = async (compares: readonly Compare[], ops: readonly WriteOp[]): Promise<TransactResult> => {
    checkSize(ops);
    const { part, result } = reading(() => decide(compares, ops));
    await committer.add(part); // A refusal waits too: what it tells must be durable.
    return result;
  };

  const grantLease = async (ttlSeconds: number): Promise<number> => {
    assert(Number.isFinite(ttlSeconds) && ttlSeconds > 0, 'ttlSeconds must be above 0');
    checkOpen();
    const lease = leases.nextNumber();
    leases.add(lease, ttlSeconds);
    await committer.add({ lease: { type: 'grant', lease, ttlSeconds } });
    leases.rearm(lease);
    return lease;
  };

  const revokeLease = async (lease: number): Promise<void> => {
    checkOpen();
    checkLease(lease);
    const part = reading(() => applyWrites(leases.keys(lease).map((key) => ({ type: 'delete', key }))));
    leases.remove(lease);
    await committer.add({ ...part, lease: { type: 'revoke', lease } });
  };

  const compactNow = async (revision: number): Promise<void> => {
    checkOpen();
    checkReadable(revision);
    if (revision === backend.compactedRevision) throw new StorageError('Compacted', `revision ${revision} was compacted before`);
    await committer.add({ compactedRevision: revision });
    await trim();
  };

  const trim = async (): Promise<void> => {
    try {
      await committer.trim();
    } catch (error) {
      const cause = asStorageError(error);
      if (cause.code !== 'NoSpace') stop(cause);
      throw cause;
    }
    checkOpen();
  };

  const closeNow = async (): Promise<void> => {
    await committer.close();
    stop(new StorageError('Closed', 'the store is closed'));
    await background;
    await backend.close();
  };

  const store: Store = {
    get revision() {
      return backend.revision;
    },
    get compactedRevision() {
      return backend.compactedRevision;
    },
    get: async (key, revision = 0) =>
      reading(() => {
        if (revision === 0) return backend.get(key);
        checkReadable(revision);
        return backend.getAt(key, revision);
      }),
    range: async ({ start, end, limit = 0, revision = 0 }) =>
      reading(() => {
        if (revision !== 0) checkReadable(revision);
        const found = backend.range(start, end, limit, revision === 0 ? backend.revision : revision);
        return { ...found, revision: backend.revision };
      }),
    transact,
    watch: (watchOptions, signal) => hub.watch(watchOptions, signal),
    compact: (revision) => compacting.run(() => compactNow(revision)),
    grantLease,
    async keepAlive(lease) {
      checkOpen();
      checkLease(lease);
      leases.rearm(lease);
    },
    revokeLease,
    close() {
      closing ??= closeNow();
      return closing;
    },
  };
  // NoSpace: the next compaction takes it up again. Anything else has stopped the store.
  background = compacting.run(trim).catch(() => undefined);
  return store;
}
