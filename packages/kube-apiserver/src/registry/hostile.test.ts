import { schemas } from '@orrery/api';
import { cloneJson, type Draft, decodeStruct, type JsonObject, type KubeObject } from '@orrery/apimachinery';
import { newSeededRandom } from '@orrery/base';
import { describe, test } from 'vitest';
import { randomValue } from '../testing/random-object.ts';
import { resources } from './resources.ts';

const context = { user: { username: 'test', groups: [] }, namespace: 'default', now: '2026-01-01T00:00:00Z', dryRun: false };
const SEEDS = 150;

type Definition = (typeof resources)[number];

function objectOf({ typeName, kind }: Definition, seed: number): Draft<KubeObject> {
  const random = newSeededRandom(seed);
  const schema = schemas.struct(typeName);
  const { object } = decodeStruct(schema, randomValue(schema, random) as JsonObject);
  return {
    ...cloneJson(object),
    kind,
    apiVersion: 'v1',
    metadata: { name: 'a', namespace: 'default', uid: 'u' },
  } as unknown as Draft<KubeObject>;
}

/** Everything that a strategy does with a body, whatever it holds: it may refuse it, it must not throw. */
function runStrategy(definition: Definition, seed: number): void {
  const { strategy, columns = [], selectableFields = {}, status, partials = {} } = definition;
  const draft = objectOf(definition, seed);
  strategy.default?.(draft);
  strategy.prepareForCreate?.(draft, context);
  const object = cloneJson(draft) as KubeObject;
  const errors = strategy.validate?.(object, context) ?? [];
  if (errors.length === 0) {
    strategy.warnings?.(object, undefined, context);
    for (const column of columns) column.cell(object, 0);
    for (const get of Object.values(selectableFields)) get(object);
  }
  for (const part of [strategy, status, ...Object.values(partials)]) {
    const next = objectOf(definition, seed + 1_000_000);
    strategy.default?.(next);
    part?.prepareForUpdate?.(next, object, context);
    part?.validateUpdate?.(next as KubeObject, object, context);
  }
}

describe('no body makes a strategy throw', () => {
  for (const definition of resources) {
    test(`${definition.group}/${definition.kind}`, () => {
      for (let seed = 0; seed < SEEDS; seed++) {
        try {
          runStrategy(definition, seed);
        } catch (cause) {
          throw new Error(`seed ${seed}`, { cause });
        }
      }
    });
  }
});
