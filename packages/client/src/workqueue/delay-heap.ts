interface Waiting {
  readonly item: string;
  dueMs: number;
  /** Place in the heap. */
  index: number;
}

/** Items that wait, earliest first, each at most once. Every operation costs O(log n). */
export class DelayHeap {
  readonly #heap: Waiting[] = []; // Invariant: heap[i].index === i; no entry is due before its parent at (i - 1) >> 1.
  readonly #byItem = new Map<string, Waiting>(); // Invariant: exactly the items of the heap.

  get size(): number {
    return this.#heap.length;
  }

  /** When the first item is due; undefined while nothing waits. */
  get nextDueMs(): number | undefined {
    return this.#heap[0]?.dueMs;
  }

  /** Lets `item` wait until `dueMs`. If it waits already, the earlier time counts. */
  add(item: string, dueMs: number): void {
    const known = this.#byItem.get(item);
    if (known !== undefined) {
      if (known.dueMs <= dueMs) return;
      known.dueMs = dueMs;
      this.#up(known);
      return;
    }
    const waiting: Waiting = { item, dueMs, index: this.#heap.length };
    this.#heap.push(waiting);
    this.#byItem.set(item, waiting);
    this.#up(waiting);
  }

  /** Takes out the first item if it is due. */
  takeDue(nowMs: number): string | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.dueMs > nowMs) return undefined;
    const last = this.#heap.pop();
    this.#byItem.delete(first.item);
    if (last !== undefined && last !== first) {
      this.#place(last, 0);
      this.#down(last);
    }
    return first.item;
  }

  clear(): void {
    this.#heap.length = 0;
    this.#byItem.clear();
  }

  #place(waiting: Waiting, index: number): void {
    this.#heap[index] = waiting;
    waiting.index = index;
  }

  #up(waiting: Waiting): void {
    while (waiting.index > 0) {
      const at = waiting.index;
      const parent = this.#heap[(at - 1) >> 1];
      if (parent === undefined || parent.dueMs <= waiting.dueMs) return;
      this.#place(waiting, parent.index);
      this.#place(parent, at);
    }
  }

  #down(waiting: Waiting): void {
    for (;;) {
      const at = waiting.index;
      const left = this.#heap[2 * at + 1];
      const right = this.#heap[2 * at + 2];
      const child = right !== undefined && left !== undefined && right.dueMs < left.dueMs ? right : left;
      if (child === undefined || child.dueMs >= waiting.dueMs) return;
      this.#place(waiting, child.index);
      this.#place(child, at);
    }
  }
}
