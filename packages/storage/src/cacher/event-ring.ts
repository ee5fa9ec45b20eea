import type { CacheEvent } from './served-event.ts';

/** The newest changes of one cache, from which a watch that resumes a little behind is served without the store. */
export class EventRing {
  readonly #capacity: number;
  readonly #events: (CacheEvent | undefined)[];
  /** Index of the oldest event. */
  #first = 0;
  #size = 0;
  /** Every change after this revision is held. */
  #after: number;

  /** @param after - The revision at which the cache was filled. */
  constructor(capacity: number, after: number) {
    this.#capacity = capacity;
    this.#events = new Array<CacheEvent | undefined>(capacity);
    this.#after = after;
  }

  /** Events must come in revision order. */
  push(event: CacheEvent): void {
    if (this.#size === this.#capacity) {
      this.#after = this.#events[this.#first]?.revision ?? this.#after;
      this.#first = (this.#first + 1) % this.#capacity;
      this.#size--;
    }
    this.#events[(this.#first + this.#size) % this.#capacity] = event;
    this.#size++;
  }

  /** All changes after `revision`; undefined when some of them are held no more. */
  since(revision: number): CacheEvent[] | undefined {
    if (revision < this.#after) return undefined;
    const found: CacheEvent[] = [];
    for (let age = this.#size - 1; age >= 0; age--) {
      const event = this.#events[(this.#first + age) % this.#capacity];
      if (event === undefined || event.revision <= revision) break;
      found.push(event);
    }
    return found.reverse();
  }
}
