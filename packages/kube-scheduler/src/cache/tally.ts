import type { Counts } from './pod-index.ts';

/** Counts of the index, with what preemption changes in thought. */
export class Tally {
  readonly #base: Counts;
  readonly #changes: Map<string, number>;

  constructor(base: Counts, changes: ReadonlyMap<string, number> = new Map()) {
    this.#base = base;
    this.#changes = new Map(changes);
  }

  get(value: string): number {
    const base = this.#base.get(value) ?? 0;
    return this.#changes.size === 0 ? base : base + (this.#changes.get(value) ?? 0);
  }

  get isEmpty(): boolean {
    if (this.#changes.size === 0) return this.#base.size === 0;
    for (const value of [...this.#base.keys(), ...this.#changes.keys()]) if (this.get(value) > 0) return false;
    return true;
  }

  change(value: string, by: number): void {
    this.#changes.set(value, (this.#changes.get(value) ?? 0) + by);
  }

  clone(): Tally {
    return new Tally(this.#base, this.#changes);
  }
}
