import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isStatusError } from '../errors/status-error.ts';
import type { JsonObject } from '../json.ts';
import { deepFreeze } from '../json.ts';
import { createTwoWayMergePatch } from './strategic-diff.ts';
import { strategicMergePatch } from './strategic-merge.ts';
import { workload } from './test-schemas.ts';

const containers = (...names: string[]) => names.map((name) => ({ name, image: `${name}:1` }));
const before: JsonObject = {
  metadata: { name: 'w', labels: { a: '1', b: '2' }, finalizers: ['x/a', 'x/b'] },
  spec: {
    replicas: 1,
    containers: containers('web', 'log'),
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } },
    tolerations: [{ key: 'a' }],
    nodeSelector: { disk: 'ssd' },
  },
};
const spec = (object: JsonObject): JsonObject => object['spec'] as JsonObject;

describe('strategicMergePatch', () => {
  const cases: readonly (readonly [string, JsonObject, (after: JsonObject) => unknown, unknown])[] = [
    [
      'merges maps',
      { metadata: { labels: { b: null, c: '3' } } },
      (after) => (after['metadata'] as JsonObject)['labels'],
      { a: '1', c: '3' },
    ],
    [
      'merges list elements by key and keeps their order',
      { spec: { containers: [{ name: 'log', image: 'log:2' }] } },
      (after) => spec(after)['containers'],
      [
        { name: 'web', image: 'web:1' },
        { name: 'log', image: 'log:2' },
      ],
    ],
    [
      'puts new elements first, as upstream does',
      { spec: { containers: [{ name: 'new', image: 'n', args: null }] } },
      (after) => spec(after)['containers'],
      [{ name: 'new', image: 'n' }, ...containers('web', 'log')],
    ],
    [
      'deletes an element',
      { spec: { containers: [{ $patch: 'delete', name: 'web' }] } },
      (after) => spec(after)['containers'],
      containers('log'),
    ],
    [
      'replaces a list',
      { spec: { containers: [{ name: 'only' }, { $patch: 'replace' }] } },
      (after) => spec(after)['containers'],
      [{ name: 'only' }],
    ],
    [
      'replaces an object',
      { spec: { strategy: { $patch: 'replace', type: 'Recreate' } } },
      (after) => spec(after)['strategy'],
      { type: 'Recreate' },
    ],
    ['empties an object', { spec: { strategy: { $patch: 'delete' } } }, (after) => spec(after)['strategy'], {}],
    [
      'retains keys',
      { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } },
      (after) => spec(after)['strategy'],
      { type: 'Recreate' },
    ],
    ['replaces lists without a strategy', { spec: { tolerations: [{ key: 'b' }] } }, (after) => spec(after)['tolerations'], [{ key: 'b' }]],
    [
      'joins lists of scalars',
      { metadata: { finalizers: ['x/c'] } },
      (after) => (after['metadata'] as JsonObject)['finalizers'],
      ['x/c', 'x/a', 'x/b'],
    ],
    [
      'takes scalars out',
      { metadata: { '$deleteFromPrimitiveList/finalizers': ['x/a'] } },
      (after) => (after['metadata'] as JsonObject)['finalizers'],
      ['x/b'],
    ],
    [
      'orders elements, the server\u2019s own among them',
      { spec: { '$setElementOrder/containers': [{ name: 'log' }, { name: 'new' }], containers: [{ name: 'new' }] } },
      (after) => (spec(after)['containers'] as JsonObject[]).map(({ name }) => name),
      ['web', 'log', 'new'],
    ],
    [
      'reorders',
      { spec: { '$setElementOrder/containers': [{ name: 'log' }, { name: 'web' }] } },
      (after) => (spec(after)['containers'] as JsonObject[]).map(({ name }) => name),
      ['log', 'web'],
    ],
    ['removes a field', { spec: { replicas: null } }, (after) => 'replicas' in spec(after), false],
    [
      'drops directives from what it adds',
      { spec: { raw: { $patch: 'replace', a: 1, b: null } } },
      (after) => spec(after)['raw'],
      { a: 1 },
    ],
  ];
  for (const [name, patch, pick, want] of cases) {
    test(name, () => expect(pick(strategicMergePatch(workload, deepFreeze(before), deepFreeze(patch)))).toEqual(want));
  }

  test('an empty change gives the same object', () => {
    expect(strategicMergePatch(workload, before, { spec: { replicas: 1, containers: [{ name: 'web', image: 'web:1' }] } })).toBe(before);
  });

  const bad: readonly (readonly [string, JsonObject, number, string])[] = [
    [
      'an element without its key',
      { spec: { containers: [{ image: 'x' }] } },
      500,
      'map: map[image:x] does not contain declared merge key: name',
    ],
    ['an unknown directive', { spec: { $patch: 'nap' } }, 500, 'unknown patch type: nap in map: map[$patch:nap]'],
    [
      'a merge directive in a list',
      { spec: { containers: [{ $patch: 'merge' }] } },
      500,
      'merging lists cannot yet be specified in the patch',
    ],
    ['mixed elements', { spec: { containers: ['a'] } }, 500, 'list element types are not identical: map[string]interface {} string'],
    [
      'keys that are not retained',
      { spec: { strategy: { $retainKeys: ['type'], rollingUpdate: {} } } },
      400,
      'invalid patch format of retainKeys',
    ],
    [
      'a deletion list that is none',
      { metadata: { '$deleteFromPrimitiveList/finalizers': 'x' } },
      400,
      'invalid patch format of primitive list',
    ],
    [
      'another order',
      { spec: { '$setElementOrder/containers': [{ name: 'web' }], containers: [{ name: 'x' }] } },
      500,
      "doesn't match $setElementOrder list",
    ],
  ];
  for (const [name, patch, code, message] of bad) {
    test(`refuses ${name}`, () => {
      try {
        strategicMergePatch(workload, deepFreeze(before), deepFreeze(patch));
        expect.unreachable();
      } catch (error) {
        expect(isStatusError(error) ? [error.code, error.message] : error).toEqual([code, expect.stringContaining(message)]);
      }
    });
  }
});

describe('createTwoWayMergePatch', () => {
  test('writes the directives that kubectl writes', () => {
    const after = {
      ...before,
      metadata: { name: 'w', labels: { a: '1' }, finalizers: ['x/b', 'x/c'] },
      spec: { ...spec(before), containers: [{ name: 'log', image: 'log:2' }], strategy: { type: 'Recreate' } },
    };
    expect(createTwoWayMergePatch(workload, before, after)).toEqual({
      metadata: {
        labels: { b: null },
        finalizers: ['x/c'],
        '$deleteFromPrimitiveList/finalizers': ['x/a'],
        '$setElementOrder/finalizers': ['x/b', 'x/c'],
      },
      spec: {
        containers: [
          { name: 'log', image: 'log:2' },
          { name: 'web', $patch: 'delete' },
        ],
        '$setElementOrder/containers': [{ name: 'log' }],
        strategy: { $retainKeys: ['type'], rollingUpdate: null, type: 'Recreate' },
      },
    });
  });

  const element = fc.record(
    { image: fc.constantFrom('a', 'b'), args: fc.array(fc.constantFrom('x', 'y'), { maxLength: 2 }) },
    { requiredKeys: [] },
  );
  const named = fc.uniqueArray(fc.tuple(fc.constantFrom('p', 'q', 'r', 's'), element), { selector: ([name]) => name, maxLength: 4 });
  const document = fc.record(
    {
      metadata: fc.record(
        {
          labels: fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2')),
          finalizers: fc.uniqueArray(fc.constantFrom('f', 'g', 'h'), { maxLength: 3 }),
        },
        { requiredKeys: [] },
      ),
      spec: fc.record(
        {
          replicas: fc.nat(3),
          containers: named.map((list) => list.map(([name, rest]) => ({ name, ...rest }))),
          strategy: fc.record({ type: fc.constantFrom('A', 'B'), rollingUpdate: fc.record({ maxSurge: fc.nat(2) }) }, { requiredKeys: [] }),
          tolerations: fc.array(fc.record({ key: fc.constantFrom('k', 'l') }), { maxLength: 2 }),
        },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: [] },
  );

  test('a created patch leads from one object to the other', () => {
    fc.assert(
      fc.property(document, document, (from, to) => {
        const patch = createTwoWayMergePatch(workload, from as JsonObject, to as JsonObject);
        expect(strategicMergePatch(workload, deepFreeze(from) as JsonObject, patch)).toEqual(to);
      }),
      { numRuns: 500 },
    );
  });

  test('hostile patches end in a Status', () => {
    const key = fc.constantFrom(
      'spec',
      'metadata',
      'containers',
      'name',
      '$patch',
      '$retainKeys',
      '$setElementOrder/containers',
      '$deleteFromPrimitiveList/finalizers',
      '__proto__',
      'x',
    );
    const patch = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(null, 'a', 'delete', 'replace', 1),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(key, tie('value'), { maxKeys: 3 }),
      ),
    })).value;
    fc.assert(
      fc.property(patch, (hostile) => {
        try {
          strategicMergePatch(workload, deepFreeze(before), hostile);
        } catch (error) {
          expect(isStatusError(error)).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
