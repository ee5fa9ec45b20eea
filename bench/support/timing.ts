/** Milliseconds from an arbitrary start. */
export const nowMs = (): number => performance.now();

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Calls `fn(0)` to `fn(count - 1)`, `inFlight` at once. */
export async function inParallel(count: number, inFlight: number, fn: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) await fn(index);
  };
  await Promise.all(Array.from({ length: Math.min(inFlight, count) }, lane));
}
