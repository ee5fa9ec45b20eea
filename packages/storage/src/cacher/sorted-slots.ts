import type { CachedEntry } from './cached-entry.ts';

/** The place of one key. Its entry is swapped on every write, so an update never touches the order. */
export interface Slot {
  /** Object name. */
  readonly name: string;
  entry: CachedEntry;
  /** False once removed: the order drops it at the next read. */
  live: boolean;
}

/** Removed slots kept for the next read, at least: a resource that is never listed must not pile them up. */
const deadMax = 1024;
/** Above this many changes since the last read, one merge is cheaper than an insertion each. */
const insertionsMax = 32;

/** The objects of one namespace, by name and in name order. Order is repaired on reads only. */
export class SortedSlots {
  readonly #byName = new Map<string, Slot>();
  /** Sorted by name. May hold dead slots and lack `#added` until `#settle`. */
  #sorted: Slot[] = [];
  #added: Slot[] = [];
  #dead = 0;

  get size(): number {
    return this.#byName.size;
  }

  /** Slots in memory, removed ones included. */
  get held(): number {
    return this.#sorted.length + this.#added.length;
  }

  get(name: string): CachedEntry | undefined {
    return this.#byName.get(name)?.entry;
  }

  set(name: string, entry: CachedEntry): void {
    const slot = this.#byName.get(name);
    if (slot !== undefined) {
      slot.entry = entry;
      return;
    }
    const added: Slot = { name, entry, live: true };
    this.#byName.set(name, added);
    this.#added.push(added);
  }

  delete(name: string): void {
    const slot = this.#byName.get(name);
    if (slot === undefined) return;
    slot.live = false;
    this.#byName.delete(name);
    this.#dead++;
    if (this.#dead > Math.max(deadMax, this.#byName.size)) this.#settle();
  }

  /** In name order. Valid until the next write. */
  ordered(): readonly Slot[] {
    if (this.#added.length > 0 || this.#dead > 0) this.#settle();
    return this.#sorted;
  }

  #settle(): void {
    const added = this.#added.filter(({ live }) => live);
    const removed = this.#dead - (this.#added.length - added.length);
    if (removed > 0) this.#sorted = this.#sorted.filter(({ live }) => live);
    if (added.length <= insertionsMax) for (const slot of added) this.#sorted.splice(firstAtLeast(this.#sorted, slot.name), 0, slot);
    else this.#sorted = merge(this.#sorted, added.sort(byName));
    this.#added = [];
    this.#dead = 0;
  }
}

const byName = (a: Slot, b: Slot): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

/** Index of the first slot whose name is not below `name`. */
export function firstAtLeast(sorted: readonly { readonly name: string }[], name: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const slot = sorted[middle];
    if (slot !== undefined && slot.name < name) low = middle + 1;
    else high = middle;
  }
  return low;
}

function merge(left: readonly Slot[], right: readonly Slot[]): Slot[] {
  const out: Slot[] = [];
  let at = 0;
  for (const slot of right) {
    for (let next = left[at]; next !== undefined && next.name < slot.name; next = left[at]) {
      out.push(next);
      at++;
    }
    out.push(slot);
  }
  for (; at < left.length; at++) {
    const next = left[at];
    if (next !== undefined) out.push(next);
  }
  return out;
}
