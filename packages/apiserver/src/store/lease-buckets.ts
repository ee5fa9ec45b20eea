import type { Clock } from '@orrery/base';
import type { Store } from '@orrery/storage';

const reuseSeconds = 60;
const objectsPerLeaseMax = 1000;

interface Bucket {
  readonly lease: Promise<number>;
  readonly until: number;
  objects: number;
}

/**
 * Leases for objects that disappear by themselves. Objects written within one minute share a lease, so a thousand events cost
 * one: each lives for its time and up to a minute more. Source: etcd3 leaseManager.
 */
export class LeaseBuckets {
  readonly #store: Store;
  readonly #clock: Clock;
  /** The open bucket of each lifetime. */
  readonly #open = new Map<number, Bucket>();

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** A lease that lasts at least `ttlSeconds` from now. */
  leaseFor(ttlSeconds: number): Promise<number> {
    const now = this.#clock.monotonicMs();
    const open = this.#open.get(ttlSeconds);
    if (open !== undefined && now < open.until && open.objects < objectsPerLeaseMax) {
      open.objects++;
      return open.lease;
    }
    const lease = this.#store.grantLease(ttlSeconds + reuseSeconds);
    const bucket = { lease, until: now + reuseSeconds * 1000, objects: 1 };
    this.#open.set(ttlSeconds, bucket);
    lease.catch(() => this.#drop(ttlSeconds, bucket)); // The writer gets the error; the next one asks for a new lease.
    return lease;
  }

  #drop(ttlSeconds: number, bucket: Bucket): void {
    if (this.#open.get(ttlSeconds) === bucket) this.#open.delete(ttlSeconds);
  }
}
