import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { assert } from './assert.ts';
import type { Random } from './random.ts';

/** The operating system's randomness: fit for tokens and keys (`float` is not). */
export const systemRandom: Random = {
  float: () => Math.random(),
  integer(bound) {
    assert(Number.isSafeInteger(bound) && bound >= 1, 'bound must be an integer of at least 1');
    // randomInt takes at most 2**48 - 1.
    return bound < 2 ** 48 ? randomInt(bound) : Math.floor(Math.random() * bound);
  },
  bytes: (length) => randomBytes(length),
  uuid: () => randomUUID(),
};
