import { assert } from './assert.ts';
import type { Random } from './random.ts';
import { uuidFrom } from './uuid.ts';

/** Spreads a seed over 32-bit words (the mixing step of SplitMix32). */
function newMixer(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let word = state ^ (state >>> 16);
    word = Math.imul(word, 0x21f0aaad);
    word ^= word >>> 15;
    word = Math.imul(word, 0x735a2d97);
    return (word ^ (word >>> 15)) >>> 0;
  };
}

/** 32-bit words of the sfc32 generator. */
function newWords(seed: number): () => number {
  const mix = newMixer(seed ^ Math.floor(seed / 2 ** 32));
  let a = mix();
  let b = mix();
  let c = mix();
  let counter = 1;
  return () => {
    const word = (a + b + counter) >>> 0;
    counter = (counter + 1) >>> 0;
    a = (b ^ (b >>> 9)) >>> 0;
    b = (c + (c << 3)) >>> 0;
    c = (((c << 21) | (c >>> 11)) + word) >>> 0;
    return word;
  };
}

/** The same seed gives the same numbers, on every machine and version. Not for secrets. `seed` is a safe integer. */
export function newSeededRandom(seed: number): Random {
  assert(Number.isSafeInteger(seed), 'seed must be a safe integer');
  const word = newWords(seed);
  for (let round = 0; round < 12; round += 1) word(); // sfc32 needs a few rounds before near seeds part.
  const float = (): number => ((word() >>> 5) * 2 ** 26 + (word() >>> 6)) / 2 ** 53;
  const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, () => word() & 0xff);
  return {
    float,
    integer(bound) {
      assert(Number.isSafeInteger(bound) && bound >= 1, 'bound must be an integer of at least 1');
      return Math.floor(float() * bound);
    },
    bytes,
    uuid: () => uuidFrom(bytes(16)),
  };
}
