import type { Random } from '@orrery/base';

/** No vowels and no look-alikes: no words, no 0/o, 1/l. Source: util/rand. */
const alphabet = 'bcdfghjklmnpqrstvwxz2456789';
const suffixLength = 5;
const nameLengthMax = 63;

/** `base` with a random ending, at most 63 characters. Source: names.SimpleNameGenerator. */
export function generateName(base: string, random: Random): string {
  let name = base.slice(0, nameLengthMax - suffixLength);
  for (let i = 0; i < suffixLength; i++) name += alphabet.charAt(random.integer(alphabet.length));
  return name;
}
