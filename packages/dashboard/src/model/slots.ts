/** Places of the pods in one node's box. A pod keeps its place while it lives, so that nothing else moves when one comes or goes. */
export interface Slots {
  /** One more than the highest place in use. */
  readonly length: number;
  /** The lowest free place; the same again for one that has a place. */
  take(id: string): number;
  release(id: string): void;
  slotOf(id: string): number | undefined;
  at(slot: number): string | undefined;
  /** Pods that have a place. */
  readonly size: number;
  /** Places in use, from the first. */
  used(): Iterable<number>;
  /** Moves everybody together when most places are empty. Returns true when it did. */
  compact(): boolean;
}

export function newSlots(): Slots {
  const ids: (string | undefined)[] = [];
  const slots = new Map<string, number>();
  /** No place below is free: where to begin to look. */
  let lowest = 0;
  return {
    get length() {
      return ids.length;
    },
    take(id) {
      const held = slots.get(id);
      if (held !== undefined) return held;
      while (lowest < ids.length && ids[lowest] !== undefined) lowest += 1;
      ids[lowest] = id;
      slots.set(id, lowest);
      return lowest;
    },
    release(id) {
      const slot = slots.get(id);
      if (slot === undefined) return;
      slots.delete(id);
      ids[slot] = undefined;
      lowest = Math.min(lowest, slot);
      while (ids.length > 0 && ids[ids.length - 1] === undefined) ids.pop();
    },
    slotOf: (id) => slots.get(id),
    at: (slot) => ids[slot],
    get size() {
      return slots.size;
    },
    *used() {
      for (let slot = 0; slot < ids.length; slot += 1) if (ids[slot] !== undefined) yield slot;
    },
    compact() {
      if (ids.length <= 8 || slots.size * 2 > ids.length) return false;
      const kept = ids.filter((id) => id !== undefined);
      ids.splice(0, ids.length, ...kept);
      for (const [slot, id] of kept.entries()) slots.set(id, slot);
      lowest = kept.length;
      return true;
    },
  };
}
