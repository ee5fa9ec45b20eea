/** What plugins keep about one pod during one attempt. Values that preemption may change have `clone`; others are shared by copies. */
export interface CycleValue {
  clone?(): CycleValue;
}

/** Identifies one plugin's value. `T` is phantom. */
export interface StateKey<T extends object> {
  readonly name: string;
  readonly valueType?: T;
}

export const newStateKey = <T extends object>(name: string): StateKey<T> => ({ name });

/** Scratch space of one attempt to schedule one pod. */
export class CycleState {
  readonly #values = new Map<StateKey<object>, object>();
  /** Plugins that had nothing to say at PreFilter: their Filter is left out. */
  skippedFilters: ReadonlySet<string> = none;
  skippedScores: ReadonlySet<string> = none;

  read<T extends object>(key: StateKey<T>): T | undefined {
    return this.#values.get(key) as T | undefined;
  }

  write<T extends object>(key: StateKey<T>, value: T): void {
    this.#values.set(key, value);
  }

  clone(): CycleState {
    const copy = new CycleState();
    for (const [key, value] of this.#values) copy.#values.set(key, (value as CycleValue).clone?.() ?? value);
    copy.skippedFilters = this.skippedFilters;
    copy.skippedScores = this.skippedScores;
    return copy;
  }
}

const none: ReadonlySet<string> = new Set();
