import { appendFile, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newVirtualClock } from '@orrery/base';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { formatEntries, newLogPump, recoverPositions } from './log-pump.ts';

const TIME = '2026-01-01T00:00:00.000000000Z';
const linesOf = (text: Buffer) =>
  text
    .toString()
    .split('\n')
    .slice(0, -1)
    .map((line) => line.slice(TIME.length + 1));

describe('formatEntries', () => {
  const cases = [
    { name: 'whole lines', data: 'a\nb\n', lines: ['stdout F a', 'stdout F b'], remaining: '' },
    { name: 'an unfinished line waits', data: 'a\nb', lines: ['stdout F a'], remaining: 'b' },
    { name: 'an empty line', data: '\n', lines: ['stdout F '], remaining: '' },
    { name: 'nothing', data: '', lines: [], remaining: '' },
  ];
  for (const { name, data, lines, remaining } of cases) {
    test(name, () => {
      const out = formatEntries(Buffer.from(data), 'stdout', TIME);
      expect([linesOf(out.text), out.remaining.toString()]).toEqual([lines, remaining]);
    });
  }
  test('a long line comes in parts', () => {
    const { text } = formatEntries(Buffer.from(`${'x'.repeat(40_000)}\n`), 'stderr', TIME);
    expect(linesOf(text).map((line) => [line.slice(0, 8), line.length - 9])).toEqual([
      ['stderr P', 16384],
      ['stderr P', 16384],
      ['stderr F', 7232],
    ]);
  });
});

describe('newLogPump', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'orrery-pump-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));
  const clock = newVirtualClock({ startMs: Date.parse('2026-01-01T00:00:00Z') });
  const pumpAt = (position: number) =>
    newLogPump({
      stream: 'stdout',
      rawPath: join(directory, 'raw'),
      logPath: join(directory, 'log'),
      position,
      clock,
      onOutput: () => undefined,
    });

  test('output is copied once, whatever its pieces, across any number of agents', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: fc.constantFrom('a', 'ä', '\n', '\r'), maxLength: 40 }), { maxLength: 12 }),
        fc.array(fc.boolean(), { maxLength: 12 }),
        async (pieces, restarts) => {
          await writeFile(join(directory, 'raw'), '');
          await rm(join(directory, 'log'), { force: true });
          let pump = pumpAt(0);
          for (const [index, piece] of pieces.entries()) {
            await appendFile(join(directory, 'raw'), piece);
            await pump.pump();
            if (restarts[index] !== true) continue;
            await pump.reopen(); // The agent dies here; the next one starts from what the log holds.
            pump = pumpAt((await recoverPositions(join(directory, 'log'))).stdout);
          }
          await pump.finish();
          const log = await readFile(join(directory, 'log'), 'utf8').catch(() => '');
          const text = log
            .split('\n')
            .slice(0, -1)
            .map((line) => line.slice(TIME.length + ' stdout F '.length));
          const all = pieces.join('');
          expect(text).toEqual(all === '' ? [] : (all.endsWith('\n') ? all.slice(0, -1) : all).split('\n'));
        },
      ),
      { numRuns: 60 },
    );
  });

  test('a torn entry at the end of the log is written again', async () => {
    await writeFile(join(directory, 'raw'), 'first\nsecond\n');
    await writeFile(join(directory, 'log'), `${TIME} stdout F first\n${TIME} stdout F sec`);
    const pump = pumpAt((await recoverPositions(join(directory, 'log'))).stdout);
    await pump.finish();
    expect(await readFile(join(directory, 'log'), 'utf8')).toBe(`${TIME} stdout F first\n${TIME} stdout F second\n`);
  });

  test('a renamed log goes on in a new file', async () => {
    await writeFile(join(directory, 'raw'), 'first\n');
    const pump = pumpAt(0);
    await pump.pump();
    await rename(join(directory, 'log'), join(directory, 'log.1'));
    await pump.reopen();
    await appendFile(join(directory, 'raw'), 'second\n');
    await pump.finish();
    expect(await readFile(join(directory, 'log'), 'utf8')).toBe(`${TIME} stdout F second\n`);
  });
});
