import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newSeededRandom, systemRandom } from '@orrery/base';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { crashRounds } from './crash-rounds.ts';

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
});
