import type { Clock, Timer } from '@orrery/base';
import type { StoreEvent } from '../store.ts';
import type { PersistedLease } from './backend.ts';

interface Lease {
  readonly ttlSeconds: number;
  /** Keys that are attached in the newest state, staged ones included. */
  readonly keys: Set<string>;
  timer: Timer | undefined;
}

/** Leases of the newest staged state, and the timers that let them expire. */
export interface LeaseTable {
  /** A number that no lease ever had. */
  nextNumber(): number;
  has(lease: number): boolean;
  keys(lease: number): readonly string[];
  add(lease: number, ttlSeconds: number): void;
  remove(lease: number): void;
  /** Starts the lease's time (again). */
  rearm(lease: number): void;
  /** Attaches and detaches keys. */
  apply(events: readonly StoreEvent[]): void;
  /** Starts over from what is durable. Leases that were there keep their timers. */
  reset(persisted: readonly PersistedLease[]): void;
  close(): void;
}

export interface LeaseTableOptions {
  readonly clock: Clock;
  readonly leaseMax: number;
  readonly onExpired: (lease: number) => void;
}

export function newLeaseTable(options: LeaseTableOptions): LeaseTable {
  const leases = new Map<number, Lease>();
  let leaseMax = options.leaseMax;

  const remove = (number: number): void => {
    leases.get(number)?.timer?.cancel();
    leases.delete(number);
  };

  const rearm = (number: number): void => {
    const lease = leases.get(number);
    if (lease === undefined) return;
    lease.timer?.cancel();
    lease.timer = options.clock.after(lease.ttlSeconds * 1000, () => options.onExpired(number), { background: true });
  };

  const apply = (events: readonly StoreEvent[]): void => {
    for (const event of events) {
      const before = event.type === 'put' ? event.previous : event.entry;
      if (before !== undefined && before.lease !== 0) leases.get(before.lease)?.keys.delete(event.key);
      if (event.type === 'put' && event.entry.lease !== 0) leases.get(event.entry.lease)?.keys.add(event.key);
    }
  };

  const reset = (persisted: readonly PersistedLease[]): void => {
    const durable = new Set(persisted.map((lease) => lease.lease));
    for (const number of [...leases.keys()]) if (!durable.has(number)) remove(number);
    for (const { lease, ttlSeconds, keys } of persisted) {
      const timer = leases.get(lease)?.timer;
      leases.set(lease, { ttlSeconds, keys: new Set(keys), timer });
      if (timer === undefined) rearm(lease);
    }
  };

  return {
    nextNumber() {
      leaseMax += 1;
      return leaseMax;
    },
    has: (lease) => leases.has(lease),
    keys: (lease) => [...(leases.get(lease)?.keys ?? [])],
    add: (lease, ttlSeconds) => void leases.set(lease, { ttlSeconds, keys: new Set(), timer: undefined }),
    remove,
    rearm,
    apply,
    reset,
    close() {
      for (const lease of leases.values()) lease.timer?.cancel();
      leases.clear();
    },
  };
}
