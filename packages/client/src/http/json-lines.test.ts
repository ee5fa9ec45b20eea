import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { linesOf } from './json-lines.ts';

/** Cuts `bytes` at `cuts`, wherever they fall: inside characters too. */
function chunksOf(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((start, i) => bytes.subarray(start, places[i] ?? bytes.length));
}

async function collect(chunks: readonly Buffer[]): Promise<readonly (readonly string[])[]> {
  const stream = (async function* () {
    yield* chunks;
  })();
  const batches: (readonly string[])[] = [];
  for await (const batch of linesOf(stream)) batches.push(batch);
  return batches;
}

describe('linesOf', () => {
  test('whatever the chunks, the lines are the same, and no batch is empty', async () => {
    const values = fc.array(fc.jsonValue({ maxDepth: 2 }), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(values, fc.array(fc.nat(), { maxLength: 20 }), fc.boolean(), async (list, cuts, ended) => {
        const lines = list.map((value) => JSON.stringify(value));
        const text = lines.join('\n') + (ended && lines.length > 0 ? '\n' : '');
        const batches = await collect(chunksOf(Buffer.from(text), cuts));
        expect(batches.flat()).toEqual(lines);
        expect(batches.every((batch) => batch.length > 0)).toBe(true);
      }),
    );
  });

  test('lines that end in one chunk are one batch', async () => {
    expect(await collect(['{"a":1}\n{"b":', '2}\n\r\n{"c":3}\n', '{"d"', ':4}'].map((text) => Buffer.from(text)))).toEqual([
      ['{"a":1}'],
      ['{"b":2}', '{"c":3}'],
      ['{"d":4}'],
    ]);
  });
});
