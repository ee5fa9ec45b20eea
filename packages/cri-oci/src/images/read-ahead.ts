/**
 * Reads `source` before anybody asks for it, until `bytesMax` wait to be fetched. What is returned ends and fails as the source does, after
 * what came before. Its `return` must be called when it is not read to its end: it holds the source.
 */
export function readAhead(source: AsyncIterable<Buffer>, bytesMax: number): AsyncIterableIterator<Buffer> {
  const iterator = source[Symbol.asyncIterator]();
  const waiting: Buffer[] = [];
  let waitingBytes = 0;
  let end: { readonly error?: unknown } | undefined;
  let returned = false;
  let wake: (() => void) | undefined; // Of whoever sleeps: the reader for bytes, or the pump for room. Never both.
  const sleep = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve;
    });
  const wakeUp = (): void => {
    const waker = wake;
    wake = undefined;
    waker?.();
  };

  const pump = async (): Promise<void> => {
    try {
      for (;;) {
        const { done, value } = await iterator.next();
        if (done === true) break;
        waiting.push(value);
        waitingBytes += value.length;
        wakeUp();
        while (waitingBytes >= bytesMax && !returned) await sleep();
        if (returned) break;
      }
      end = {};
    } catch (error) {
      end = { error };
    }
    wakeUp();
  };
  const pumping = pump(); // Never rejects.

  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      for (;;) {
        const chunk = waiting.shift();
        if (chunk !== undefined) {
          waitingBytes -= chunk.length;
          wakeUp();
          return { done: false, value: chunk };
        }
        if (end !== undefined) {
          if ('error' in end) throw end.error;
          return { done: true, value: undefined };
        }
        await sleep();
      }
    },
    async return() {
      returned = true;
      wakeUp();
      await iterator.return?.(); // Ends a read that is under way, where the source can.
      await pumping;
      return { done: true, value: undefined };
    },
  };
}
