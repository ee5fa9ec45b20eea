import type { Schema } from '@orrery/apimachinery';
import type { Random } from '@orrery/base';

const texts = [
  '',
  'a',
  'None',
  'Always',
  'Never',
  'a/b',
  '10.0.0.1',
  'example.com/x',
  "metadata.labels['a']",
  '..',
  '../x',
  'TCP',
  '50%',
  'x'.repeat(70),
];
const numbers = [-1, 0, 1, 80, 70_000, 2 ** 31 - 1];
const quantities = ['0', '1', '100m', '1Gi', '-1', '1.5'];
const DEPTH_MAX = 9;

function pick<T>(list: readonly T[], random: Random): T {
  const item = list[random.integer(list.length)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}

/** Some value of a type, with most fields left out, the required ones too: what a decoder lets through. */
export function randomValue(schema: Schema, random: Random, depth = 0): unknown {
  switch (schema.type) {
    case 'struct': {
      const share = depth < 2 ? 0.7 : 0.25;
      const chosen = [...schema.fields.values()].filter(() => depth < DEPTH_MAX && random.float() < share);
      return Object.fromEntries(chosen.map((field) => [field.name, randomValue(field.schema, random, depth + 1)]));
    }
    case 'list':
      return Array.from({ length: random.integer(3) }, () => randomValue(schema.items, random, depth + 1));
    case 'map':
      return Object.fromEntries(
        Array.from({ length: random.integer(3) }, () => [pick(texts, random), randomValue(schema.values, random, depth + 1)]),
      );
    case 'boolean':
      return random.integer(2) === 0;
    case 'int32':
    case 'int64':
    case 'double':
      return pick(numbers, random);
    case 'quantity':
      return pick(quantities, random);
    case 'intOrString':
      return random.integer(2) === 0 ? pick(numbers, random) : pick(texts, random);
    case 'time':
      return '2026-01-01T00:00:00Z';
    case 'microTime':
      return '2026-01-01T00:00:00.000000Z';
    case 'bytes':
      return 'eA==';
    case 'any':
      return {};
    default:
      return pick(texts, random);
  }
}
