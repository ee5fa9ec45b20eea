import { leases } from '@orrery/api';
import type { Lease, LeaseSpec } from '@orrery/api/coordination/v1';
import { formatMicroTime, isNotFound } from '@orrery/apimachinery';
import type { Clock } from '@orrery/base';
import type { Client } from '../client.ts';

export interface LeaseLockOptions {
  readonly client: Pick<Client, 'get' | 'create' | 'update'>;
  readonly lease: { readonly namespace: string; readonly name: string };
  readonly identity: string;
  readonly clock: Clock;
  readonly leaseDurationMs: number;
}

/** What is known of a Lease, and the writes that take, renew and release it. Every write is guarded by the resourceVersion that was seen. */
export class LeaseLock {
  readonly #options: LeaseLockOptions;
  #observed: Lease | undefined;
  #observedMs = 0; // When #observed was first seen to be as it is, on our own clock.

  constructor(options: LeaseLockOptions) {
    this.#options = options;
  }

  /** Empty for none. */
  get holder(): string {
    return this.#observed?.spec?.holderIdentity ?? '';
  }

  /** True: we hold the lease now. Rejects when the server refuses or the write conflicts. */
  async acquireOrRenew(signal: AbortSignal): Promise<boolean> {
    const { client, lease, identity } = this.#options;
    if (this.#observed !== undefined && this.holder === identity && !this.#expired() && (await this.#renewed(this.#observed, signal))) {
      return true;
    }
    let current: Lease;
    try {
      current = await client.get(leases, lease, { signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      this.#observe(await client.create(leases, { metadata: { ...lease }, spec: this.#spec(undefined) }, { signal }));
      return true;
    }
    if (current.metadata.resourceVersion !== this.#observed?.metadata.resourceVersion) this.#observe(current);
    if (this.holder !== '' && this.holder !== identity && !this.#expired()) return false;
    this.#observe(await client.update(leases, { ...current, spec: this.#spec(current.spec) }, { signal }));
    return true;
  }

  /** Gives the lease up, if it is ours: the next candidate need not wait for it to expire. */
  async release(signal: AbortSignal): Promise<void> {
    const { client, identity, clock } = this.#options;
    if (this.#observed === undefined || this.holder !== identity) return;
    const now = formatMicroTime(clock.now());
    const { holderIdentity: _holder, ...rest } = this.#observed.spec ?? {};
    const spec: LeaseSpec = { ...rest, leaseDurationSeconds: 1, renewTime: now, acquireTime: now };
    this.#observe(await client.update(leases, { ...this.#observed, spec }, { signal }));
  }

  /** Renews on the strength of what was seen last: one write instead of a read and a write. False: it has changed, read it. */
  async #renewed(observed: Lease, signal: AbortSignal): Promise<boolean> {
    try {
      this.#observe(await this.#options.client.update(leases, { ...observed, spec: this.#spec(observed.spec) }, { signal }));
      return true;
    } catch (error) {
      if (signal.aborted) throw error;
      return false;
    }
  }

  #observe(lease: Lease): void {
    this.#observed = lease;
    this.#observedMs = this.#options.clock.monotonicMs();
  }

  #expired(): boolean {
    const durationMs = (this.#observed?.spec?.leaseDurationSeconds ?? 0) * 1000;
    return this.#options.clock.monotonicMs() - this.#observedMs >= durationMs;
  }

  #spec(old: LeaseSpec | undefined): LeaseSpec {
    const { identity, clock, leaseDurationMs } = this.#options;
    const now = formatMicroTime(clock.now());
    const ours = old?.holderIdentity === identity;
    return {
      ...old,
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseDurationMs / 1000),
      renewTime: now,
      acquireTime: ours && old.acquireTime !== undefined ? old.acquireTime : now,
      leaseTransitions: old === undefined ? 0 : (old.leaseTransitions ?? 0) + (ours ? 0 : 1),
    };
  }
}
