import { type Deferred, deferred, newMutex } from '@orrery/base';
import { StorageError } from '../store.ts';
import type { Backend, CommitGroup, CommittedTransaction, LeaseChange } from './backend.ts';

/** One call's part of a group; with nothing in it, it only waits for what was staged before. */
export interface CommitPart {
  readonly transaction?: CommittedTransaction;
  readonly lease?: LeaseChange;
  readonly compactedRevision?: number;
}

interface Group {
  readonly transactions: CommittedTransaction[];
  readonly leases: LeaseChange[];
  compactedRevision: number;
  /** Settled once it is known whether the group is durable. Absent until somebody waits. */
  readonly done: Deferred<void>;
}

/**
 * Group commit: what is added while one group is being written forms the next one. One group at a time is in flight, so the backend's
 * newest state is always a published one.
 */
export interface Committer {
  /** Resolves when everything staged so far, this part included, is durable and published. */
  add(part: CommitPart): Promise<void>;
  /** Forgets what lies below the compaction, in pieces between the groups. Stops early when the committer closes. */
  trim(): Promise<void>;
  /** Waits for the groups in flight. Nothing may be added after. */
  close(): Promise<void>;
}

export interface CommitterOptions {
  readonly backend: Backend;
  /** Calls `flush` when the calls that come together are there; at once would make the first of them a group alone. */
  readonly gather: (flush: () => void) => void;
  /** The group is durable, and its callers are told next. */
  readonly onDurable: (group: CommitGroup) => void;
  /** Nothing of the groups staged so far is durable. `fatal`: the backend cannot be used any more. */
  readonly onFailed: (error: StorageError, fatal: boolean) => void;
}

const newGroup = (): Group => ({ transactions: [], leases: [], compactedRevision: 0, done: deferred<void>() });
const isEmpty = (group: Group): boolean => group.transactions.length === 0 && group.leases.length === 0 && group.compactedRevision === 0;

function toCommit(group: Group): CommitGroup {
  const { transactions, leases, compactedRevision } = group;
  return compactedRevision === 0 ? { transactions, leases } : { transactions, leases, compactedRevision };
}

export const asStorageError = (error: unknown): StorageError =>
  error instanceof StorageError ? error : new StorageError('Corrupt', `the store failed: ${String(error)}`, { cause: error });

export function newCommitter(options: CommitterOptions): Committer {
  const { backend } = options;
  const writing = newMutex(); // Held by whoever calls `backend.commit` or `backend.trim`.
  let next = newGroup(); // Gathers; its `done` has no listener while it is empty.
  let inFlight: Group | undefined;
  let running = false;
  let closing = false;

  const gathered = (): Promise<void> => new Promise((resolve) => options.gather(resolve));

  const fail = (group: Group, error: StorageError): void => {
    const dependent = next; // Was decided on top of what is not there.
    next = newGroup();
    options.onFailed(error, error.code !== 'NoSpace');
    group.done.reject(error);
    if (isEmpty(dependent)) dependent.done.resolve();
    else dependent.done.reject(error);
  };

  const commitNext = async (): Promise<void> => {
    const group = next;
    next = newGroup();
    inFlight = group;
    const commit = toCommit(group);
    try {
      await backend.commit(commit);
    } catch (error) {
      fail(group, asStorageError(error));
      return;
    } finally {
      inFlight = undefined;
    }
    options.onDurable(commit);
    group.done.resolve();
  };

  const run = async (): Promise<void> => {
    while (!isEmpty(next)) {
      await gathered();
      await writing.run(commitNext);
    }
    running = false;
  };

  const add = (part: CommitPart): Promise<void> => {
    if (part.transaction !== undefined) next.transactions.push(part.transaction);
    if (part.lease !== undefined) next.leases.push(part.lease);
    if (part.compactedRevision !== undefined) next.compactedRevision = part.compactedRevision;
    if (isEmpty(next)) return inFlight?.done.promise ?? Promise.resolve();
    if (!running) {
      running = true;
      void run(); // Never rejects: failures go to the group.
    }
    return next.done.promise;
  };

  const trim = async (): Promise<void> => {
    while (!closing && (await writing.run(() => backend.trim())));
  };

  return {
    add,
    trim,
    async close() {
      closing = true;
      await add({}).catch(() => undefined); // Whoever added it is told.
      await writing.run(() => undefined);
    },
  };
}
