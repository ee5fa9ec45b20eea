import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newSeededRandom, systemRandom } from '@orrery/base';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { crashRounds } from './crash-rounds.ts';
import { killAtWritingCall, whyNoSystemCallKill } from './system-calls.ts';

const roundsPerTest = 3;

describe('kill -9 of a writing process', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'orrery-crash-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  test.each([
    ['64 writers', 64, 0],
    ['one writer', 1, 0],
    ['64 writers and a compaction', 64, 500],
  ])(
    '%s: no acknowledged write is lost, no revision is reused, watches resume',
    async (_, writers, keepRevisions) => {
      const seed = systemRandom.integer(2 ** 31);
      const options = { directory, rounds: roundsPerTest, writers, keepRevisions, killWithinMs: 400, random: newSeededRandom(seed) };
      const result = await crashRounds(options).catch((cause: unknown) => {
        throw new Error(`seed ${seed}: ${String(cause)}`, { cause });
      });
      expect(result.revision).toBeGreaterThanOrEqual(result.acknowledged + 1);
      if (keepRevisions === 0) expect(result.eventsWatched).toBe(2 * (result.revision - 1));
    },
    60_000,
  );

  const whyNot = whyNoSystemCallKill();
  test.skipIf(whyNot !== undefined)(
    `at a system call that writes${whyNot === undefined ? '' : ` (skipped: ${whyNot})`}`,
    async () => {
      // The first calls make an empty store; then each group of writes takes a few, and a compaction comes in between.
      const calls = [1, 3, 6, 9, 14, 23];
      const runUnder = (round: number) => killAtWritingCall(calls[round] ?? 1);
      const options = {
        directory,
        rounds: calls.length,
        writers: 4,
        keepRevisions: 5,
        killWithinMs: 3000,
        random: newSeededRandom(1),
        runUnder,
      };
      const result = await crashRounds(options);
      expect(result.revision).toBeGreaterThanOrEqual(result.acknowledged + 1);
    },
    60_000,
  );
});
