import type { Clock } from '@orrery/base';
import type { KeyValue, Store, StoreEvent, WatchOptions, WriteOp } from '../store.ts';

/** One store with data of its own. */
export interface OpenStore {
  readonly store: Store;
  /** Closes it and opens it again on the same data. Absent where data does not outlive the store. */
  reopen?(): Promise<Store>;
  /** Closes what is open and removes the data. */
  dispose(): Promise<void>;
}

/** How the suite gets stores of one engine. */
export interface StoreHarness {
  /** Opens an empty store that takes its time from `clock`. */
  open(clock: Clock): Promise<OpenStore>;
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (value: Uint8Array | undefined): string | undefined => value && new TextDecoder().decode(value);

export const put = (key: string, value: string, lease?: number): WriteOp =>
  lease === undefined ? { type: 'put', key, value: bytes(value) } : { type: 'put', key, value: bytes(value), lease };
export const del = (key: string): WriteOp => ({ type: 'delete', key });

/** Everything: the longest range of keys. */
export const everything = { start: '\u0001', end: '\u{10ffff}' };

export interface PlainEntry {
  readonly key: string;
  readonly value: string;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly lease: number;
}

/** Comparable by value, with the bytes as text. */
export const plainEntry = (entry: KeyValue): PlainEntry => ({
  key: entry.key,
  value: text(entry.value) ?? '',
  createRevision: entry.createRevision,
  modRevision: entry.modRevision,
  lease: entry.lease,
});

export interface PlainEvent {
  readonly type: 'put' | 'delete';
  readonly key: string;
  readonly revision: number;
  readonly entry: PlainEntry;
  readonly previous: PlainEntry | undefined;
}

export const plainEvent = (event: StoreEvent): PlainEvent => ({
  type: event.type,
  key: event.key,
  revision: event.revision,
  entry: plainEntry(event.entry),
  previous: event.previous && plainEntry(event.previous),
});

/** Entries of everything at `revision`. */
export async function contents(store: Store, revision = 0): Promise<PlainEntry[]> {
  const { entries } = await store.range({ ...everything, revision });
  return entries.map(plainEntry);
}

/** Writes, and returns the revision. Fails the test when the store refuses. */
export async function write(store: Store, ...ops: readonly WriteOp[]): Promise<number> {
  const result = await store.transact([], ops);
  if (!result.succeeded) throw new Error('a transaction without compares was refused');
  return result.revision;
}

/** Events of a watch up to and including `toRevision`. */
export async function eventsUntil(store: Store, options: Partial<WatchOptions>, toRevision: number): Promise<PlainEvent[]> {
  const controller = new AbortController();
  const events: PlainEvent[] = [];
  for await (const batch of store.watch({ ...everything, fromRevision: 2, ...options }, controller.signal)) {
    events.push(...batch.events.map(plainEvent));
    if (batch.revision >= toRevision) break;
  }
  controller.abort();
  return events.filter((event) => event.revision <= toRevision); // A batch may reach further.
}

/** `put a@2` and so on: enough to read in a failure. */
export const brief = (event: PlainEvent): string => `${event.type} ${event.key}@${event.revision}`;
