/** A binary heap from which any item can be taken. */
export class Heap<T extends object> {
  readonly #compare: (a: T, b: T) => number;
  readonly #items: T[] = [];
  readonly #positions = new Map<T, number>(); // Invariant: #items[#positions.get(item)] === item, for every item.

  /** @param compare - Negative when `a` comes first. Must not change its mind while both are held. */
  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#items.length;
  }

  get first(): T | undefined {
    return this.#items[0];
  }

  values(): readonly T[] {
    return this.#items;
  }

  add(item: T): void {
    this.#put(item, this.#items.length);
    this.#rise(item, this.#items.length - 1);
  }

  pop(): T | undefined {
    const first = this.#items[0];
    if (first !== undefined) this.remove(first);
    return first;
  }

  remove(item: T): boolean {
    const at = this.#positions.get(item);
    if (at === undefined) return false;
    this.#positions.delete(item);
    const last = this.#items.pop();
    if (last === undefined || last === item) return true;
    this.#put(last, at);
    this.#rise(last, at);
    this.#sink(last);
    return true;
  }

  #put(item: T, at: number): void {
    this.#items[at] = item;
    this.#positions.set(item, at);
  }

  #rise(item: T, from: number): void {
    let at = from;
    while (at > 0) {
      const parentAt = (at - 1) >> 1;
      const parent = this.#items[parentAt];
      if (parent === undefined || this.#compare(item, parent) >= 0) break;
      this.#put(parent, at);
      at = parentAt;
    }
    this.#put(item, at);
  }

  #sink(item: T): void {
    let at = this.#positions.get(item) ?? 0;
    for (;;) {
      const left = this.#items[2 * at + 1];
      const right = this.#items[2 * at + 2];
      if (left === undefined) break;
      const child = right !== undefined && this.#compare(right, left) < 0 ? right : left;
      if (this.#compare(child, item) >= 0) break;
      const childAt = this.#positions.get(child) ?? 0;
      this.#put(child, at);
      at = childAt;
    }
    this.#put(item, at);
  }
}
