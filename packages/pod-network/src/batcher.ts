/** Joins calls that come while others are under way into one. */
export interface Batcher<T, R> {
  add(item: T): Promise<R>;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

/** How one item of a batch ended. */
export type Outcome<R> = { readonly value: R } | { readonly error: unknown };

/**
 * @param handle - Settles every item on its own: outcomes in the order of the items. What it throws fails all of them.
 * @param sizeMax - Items of one batch; more wait for the next.
 */
export function newBatcher<T, R>(handle: (items: readonly T[]) => Promise<readonly Outcome<R>[]>, sizeMax: number): Batcher<T, R> {
  const waiting: { readonly item: T; resolve(value: R): void; reject(error: unknown): void }[] = [];
  let running: Promise<void> | undefined;

  const drain = async (): Promise<void> => {
    await Promise.resolve(); // Lets the callers of this turn in.
    while (waiting.length > 0) {
      const batch = waiting.splice(0, sizeMax);
      try {
        const outcomes = await handle(batch.map(({ item }) => item));
        for (const [index, { resolve, reject }] of batch.entries()) {
          const outcome = outcomes[index];
          if (outcome !== undefined && 'value' in outcome) resolve(outcome.value);
          else reject(outcome?.error);
        }
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    running = undefined; // In the same turn as the last look at `waiting`: nobody is forgotten.
  };

  return {
    add(item) {
      return new Promise<R>((resolve, reject) => {
        waiting.push({ item, resolve, reject });
        running ??= drain();
      });
    },
    async idle() {
      while (running !== undefined) await running;
    },
  };
}
