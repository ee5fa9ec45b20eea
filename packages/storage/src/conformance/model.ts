import { compareKeys } from '../mvcc/key-order.ts';
import type { Compare, WriteOp } from '../store.ts';
import { type PlainEntry, type PlainEvent, text } from './harness.ts';

/** The contract at its simplest: every state is kept whole. What the engines are compared with. */
export interface Model {
  readonly revision: number;
  compactedRevision: number;
  /** Every event ever, in order. */
  readonly events: readonly PlainEvent[];
  /** Entries at `revision`, in order. */
  at(revision: number): readonly PlainEntry[];
  /** The revision of the answer, and whether it was done. */
  transact(compares: readonly Compare[], ops: readonly WriteOp[]): { succeeded: boolean; revision: number };
  /** Deletes what has the lease; false: nothing had it. */
  expire(lease: number): boolean;
}

type State = ReadonlyMap<string, PlainEntry>;
const inOrder = (state: State): PlainEntry[] => [...state.values()].sort((a, b) => compareKeys(a.key, b.key));

export function newModel(): Model {
  const states: State[] = [new Map(), new Map()]; // states[revision]; there is no revision 0.
  const events: PlainEvent[] = [];
  const newest = (): State => states.at(-1) as State;
  const revision = (): number => states.length - 1;

  const putInto = (state: Map<string, PlainEntry>, op: WriteOp & { type: 'put' }): void => {
    const previous = state.get(op.key);
    const at = states.length;
    const entry = {
      key: op.key,
      value: text(op.value) ?? '',
      createRevision: previous?.createRevision ?? at,
      modRevision: at,
      lease: op.lease ?? 0,
    };
    state.set(op.key, entry);
    events.push({ type: 'put', key: op.key, revision: at, entry, previous });
  };

  const deleteFrom = (state: Map<string, PlainEntry>, key: string): void => {
    const entry = state.get(key);
    if (entry === undefined) return;
    state.delete(key);
    events.push({ type: 'delete', key, revision: states.length, entry, previous: undefined });
  };

  const apply = (ops: readonly WriteOp[]): boolean => {
    const state = new Map(newest());
    const before = events.length;
    for (const op of ops) {
      if (op.type === 'put') putInto(state, op);
      else deleteFrom(state, op.key);
    }
    if (events.length > before) states.push(state);
    return events.length > before;
  };

  return {
    compactedRevision: 0,
    events,
    get revision() {
      return revision();
    },
    at: (at) => inOrder(states[at] as State),
    transact(compares, ops) {
      const succeeded = compares.every((compare) => (newest().get(compare.key)?.modRevision ?? 0) === compare.modRevision);
      if (succeeded) apply(ops);
      return { succeeded, revision: revision() };
    },
    expire: (lease) => apply([...newest().values()].filter((entry) => entry.lease === lease).map(({ key }) => ({ type: 'delete', key }))),
  };
}
