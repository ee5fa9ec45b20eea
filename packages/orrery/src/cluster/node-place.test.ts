import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { rangesOf } from './address-ranges.ts';
import { isSamePlace, keepPlace, keptPlace } from './node-place.ts';

test('a place is kept, and known from another', async () => {
  const data = await mkdtemp(join(tmpdir(), 'orrery-place-'));
  try {
    const place = { ranges: rangesOf(3), podCidr: '10.247.7.0/24' };
    expect(await keptPlace(data)).toBeUndefined();
    expect(isSamePlace(place, undefined)).toBe(false);
    await keepPlace(data, place);
    expect(await keptPlace(data)).toEqual(place);
    expect(isSamePlace(place, await keptPlace(data))).toBe(true);
    expect(isSamePlace({ ...place, podCidr: '10.247.8.0/24' }, place)).toBe(false);
    expect(isSamePlace({ ...place, ranges: rangesOf(4) }, place)).toBe(false);
  } finally {
    await rm(data, { recursive: true });
  }
});
