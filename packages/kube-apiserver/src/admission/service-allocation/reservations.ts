import type { Clock } from '@orrery/base';

/** Longer than a write takes from its admission to the store. */
const IN_FLIGHT_MS = 10_000;

/**
 * What writes that are under way are about to take, beside what stored Services have. An entry that never reaches the store, as its
 * write failed, frees itself.
 */
export class Reservations {
  readonly #clock: Clock;
  /** By what is taken (`10.96.0.7`, `TCP/30080`): the Service (`namespace/name`) it is for, until when. */
  readonly #entries = new Map<string, { readonly owner: string; readonly untilMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whose `id` is; undefined when it is free. */
  ownerOf(id: string): string | undefined {
    const entry = this.#entries.get(id);
    return entry !== undefined && entry.untilMs > this.#clock.monotonicMs() ? entry.owner : undefined;
  }

  reserve(id: string, owner: string): void {
    const now = this.#clock.monotonicMs();
    for (const [key, { untilMs }] of this.#entries) if (untilMs <= now) this.#entries.delete(key);
    this.#entries.set(id, { owner, untilMs: now + IN_FLIGHT_MS });
  }

  /** The Service is stored with these: from now on the store says whether they are taken. */
  settle(owner: string, ids: Iterable<string>): void {
    for (const id of ids) if (this.#entries.get(id)?.owner === owner) this.#entries.delete(id);
  }

  /** The Service is being deleted: what it still has is seen in the store. */
  forget(owner: string): void {
    for (const [key, entry] of this.#entries) if (entry.owner === owner) this.#entries.delete(key);
  }
}
