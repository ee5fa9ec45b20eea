/** Content that can be read on after its first reader gave up. */
export interface ReadOn {
  readonly chunks: AsyncIterable<Buffer>;
  /** Reads and drops what is left, at most `bytesMax`. Rejects as the content does at its end: when it is not what it should be. */
  rest(bytesMax: number): Promise<void>;
  close(): Promise<void>;
}

export function readOn(content: AsyncIterable<Buffer>): ReadOn {
  const iterator = content[Symbol.asyncIterator]();
  return {
    chunks: { [Symbol.asyncIterator]: () => ({ next: () => iterator.next() }) },
    async rest(bytesMax) {
      for (let left = bytesMax; left > 0; ) {
        const { done, value } = await iterator.next();
        if (done === true) return;
        left -= value.length;
      }
    },
    async close() {
      await iterator.return?.();
    },
  };
}
