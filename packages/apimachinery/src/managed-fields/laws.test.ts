import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isStatusError } from '../errors/status-error.ts';
import type { ManagedFieldsEntry } from '../generated/meta-v1.ts';
import type { Json, JsonObject } from '../json.ts';
import { deepFreeze } from '../json.ts';
import { workload } from '../patch/test-schemas.ts';
import { compareObjects } from './field-changes.ts';
import type { FieldSet } from './field-set.ts';
import {
  compareElements,
  emptySet,
  equalSets,
  hasPath,
  intersectSets,
  intersects,
  isEmptySet,
  pathsOf,
  subtractSet,
  subtractTrees,
  unionSets,
} from './field-set.ts';
import { decodeFieldsV1, decodeManagers } from './manager-entries.ts';
import { createdSet, fieldSetOf } from './object-set.ts';
import { removeFields } from './remove-fields.ts';
import { serverSideApply } from './server-side-apply.ts';
import { trackUpdate } from './track-update.ts';

const path = fc.array(fc.constantFrom('f:a', 'f:b', 'k:{"n":"x"}', 'k:{"p":80}', 'k:{"p":443}', 'v:"s"', 'v:1'), {
  minLength: 1,
  maxLength: 4,
});
const pathSet = fc.array(path, { maxLength: 8 });
const keys = (paths: readonly (readonly string[])[]): Set<string> => new Set(paths.map((steps) => steps.join('/')));
const toSet = (paths: readonly (readonly string[])[]): FieldSet =>
  paths.reduce<FieldSet>(
    (set, steps) =>
      unionSets(
        set,
        [...steps].reverse().reduce<FieldSet>((node, step) => ({ [step]: node }), {}),
      ),
    emptySet,
  );
const keysOf = (set: FieldSet): Set<string> => keys([...pathsOf(set)]);
const orderedEverywhere = (set: FieldSet): boolean => {
  const elements = Object.keys(set);
  const sorted = [...elements].sort((a, b) => (a === '.' ? -1 : b === '.' ? 1 : compareElements(a, b)));
  return elements.every((element, index) => element === sorted[index] && orderedEverywhere(set[element] ?? {}));
};

describe('sets', () => {
  test('operations are those of sets of paths', () => {
    fc.assert(
      fc.property(pathSet, pathSet, (left, right) => {
        const a = deepFreeze(toSet(left));
        const b = deepFreeze(toSet(right));
        const mine = keys(left);
        const other = keys(right);
        const minus = [...mine].filter((key) => !other.has(key));
        const both = [...mine].filter((key) => other.has(key));
        expect(keysOf(a)).toEqual(mine);
        expect(keysOf(unionSets(a, b))).toEqual(new Set([...mine, ...other]));
        expect(keysOf(subtractSet(a, b))).toEqual(new Set(minus));
        expect(keysOf(intersectSets(a, b))).toEqual(new Set(both));
        expect(intersects(a, b)).toBe(both.length > 0);
        const below = [...mine].filter((key) => ![...other].some((root) => key === root || key.startsWith(`${root}/`)));
        expect(keysOf(subtractTrees(a, b))).toEqual(new Set(below));
        expect(left.every((steps) => hasPath(a, steps))).toBe(true);
        for (const set of [unionSets(a, b), subtractSet(a, b), intersectSets(a, b)]) expect(orderedEverywhere(set)).toBe(true);
      }),
    );
  });

  test('what changes nothing gives the same value', () => {
    fc.assert(
      fc.property(pathSet, pathSet, (left, right) => {
        const a = toSet(left);
        const b = subtractTrees(toSet(right), a);
        expect(unionSets(a, a)).toBe(a);
        expect(unionSets(a, emptySet)).toBe(a);
        if (!intersects(a, b)) expect(subtractSet(a, b)).toEqual(a);
        expect(equalSets(unionSets(a, b), unionSets(b, a))).toBe(true);
      }),
    );
  });

  test('reading what was written gives the set, and hostile text gives a set or nothing', () => {
    fc.assert(
      fc.property(pathSet, (paths) => {
        const set = toSet(paths);
        expect(decodeFieldsV1(JSON.parse(JSON.stringify(set)))).toEqual(set);
      }),
    );
    fc.assert(fc.property(fc.jsonValue(), (value) => void decodeFieldsV1(value)));
    expect(decodeFieldsV1({ 'k:{"b":1,"a":2}': {}, 'x:new': {}, '.': {} })).toEqual({ 'k:{"a":2,"b":1}': {} });
    expect(decodeFieldsV1({ 'f:a': 1 })).toBeUndefined();
    expect(decodeFieldsV1({ 'v:{': {} })).toBeUndefined();
    expect(decodeFieldsV1(JSON.parse(`${'{"f:a":'.repeat(5000)}{}${'}'.repeat(5000)}`))).toBeUndefined();
  });

  test('elements stand in canonical order', () => {
    const elements = ['f:b', 'f:a', 'k:{"p":443}', 'k:{"p":80}', 'k:{"n":"b"}', 'k:{"n":"a"}', 'v:"x"', 'v:10', 'v:9', 'i:0'];
    expect(elements.sort(compareElements)).toEqual([
      'f:a',
      'f:b',
      'k:{"n":"a"}',
      'k:{"n":"b"}',
      'k:{"p":80}',
      'k:{"p":443}',
      'v:"x"',
      'v:9',
      'v:10',
      'i:0',
    ]);
  });
});

const name = fc.constantFrom('p', 'q', 'r');
const element = fc.record(
  {
    image: fc.constantFrom('1', '2'),
    args: fc.array(fc.constantFrom('x', 'y'), { minLength: 1, maxLength: 2 }),
    ports: fc.uniqueArray(fc.record({ containerPort: fc.constantFrom(80, 443), protocol: fc.constantFrom('TCP', 'UDP') }), {
      selector: ({ containerPort, protocol }) => `${containerPort}${protocol}`,
      minLength: 1,
      maxLength: 3,
    }),
  },
  { requiredKeys: [] },
);
const spec = fc.record(
  {
    replicas: fc.nat(3),
    paused: fc.boolean(),
    containers: fc
      .uniqueArray(fc.tuple(name, element), { selector: ([key]) => key, minLength: 1, maxLength: 3 })
      .map((list) => list.map(([key, rest]) => ({ name: key, ...rest }))),
    strategy: fc.record({ type: fc.constantFrom('A', 'B'), rollingUpdate: fc.record({ maxSurge: fc.nat(2) }) }, { requiredKeys: ['type'] }),
    nodeSelector: fc.dictionary(name, fc.constantFrom('1', '2'), { minKeys: 1 }),
    ips: fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 1 }),
  },
  { requiredKeys: [] },
);
const workloads = fc
  .record({ labels: fc.dictionary(name, fc.constantFrom('1', '2'), { minKeys: 1 }), spec })
  .map(
    ({ labels, spec: value }) =>
      ({ apiVersion: 'apps/v1', kind: 'Workload', metadata: { name: 'w', namespace: 'd', labels }, spec: value }) as unknown as JsonObject,
  );

const options = (manager: string, second = 0) => ({ manager, apiVersion: 'apps/v1', time: `2026-01-01T00:00:0${second}Z`, force: true });
const stored = (object: JsonObject, managedFields: readonly ManagedFieldsEntry[]): JsonObject =>
  deepFreeze({ ...object, metadata: { ...(object['metadata'] as JsonObject), uid: 'u', managedFields: managedFields as unknown as Json } });
const applied = (live: JsonObject | undefined, config: JsonObject, manager: string, second = 0): JsonObject => {
  const { object, managedFields } = serverSideApply(workload, live, deepFreeze(config), options(manager, second));
  return stored(object, managedFields);
};
const entriesOf = (object: JsonObject): readonly ManagedFieldsEntry[] =>
  ((object['metadata'] as JsonObject)['managedFields'] ?? []) as unknown as readonly ManagedFieldsEntry[];
const ownedPaths = (object: JsonObject): Set<string> => {
  const managers = decodeManagers(entriesOf(object)) ?? new Map();
  return new Set([...managers.values()].flatMap(({ fields }) => [...keysOf(fields)]));
};
/** Lists of elements without regard to order, and no difference between absent and empty. */
const normal = (value: Json | undefined): Json => {
  if (Array.isArray(value))
    return value.map((item) => normal(item as Json)).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  if (typeof value !== 'object' || value === null) return value ?? null;
  const object = value as JsonObject;
  return Object.fromEntries(
    Object.keys(object)
      .sort()
      .map((key) => [key, normal(object[key])]),
  );
};

describe('comparison', () => {
  test('nothing differs between equal objects, and paths of a change are paths of the objects', () => {
    fc.assert(
      fc.property(workloads, workloads, (before, after) => {
        const same = compareObjects(workload, before, JSON.parse(JSON.stringify(before)));
        expect(isEmptySet(same.changed) && isEmptySet(same.removed)).toBe(true);
        const { changed, removed } = compareObjects(workload, before, after);
        const mine = keysOf(createdSet(workload, before));
        const other = keysOf(createdSet(workload, after));
        for (const key of keysOf(changed)) expect(other.has(key)).toBe(true);
        for (const key of keysOf(removed)) expect(other.has(key)).toBe(false);
        expect([...keysOf(removed)].every((key) => mine.has(key))).toBe(true);
      }),
    );
  });

  test('taking all stated paths away leaves no stated path', () => {
    fc.assert(
      fc.property(workloads, (object) => {
        const rest = removeFields(workload, deepFreeze(object), fieldSetOf(workload, object));
        expect(isEmptySet(fieldSetOf(workload, rest))).toBe(true);
      }),
    );
  });
});

describe('server-side apply', () => {
  test('twice is once', () => {
    fc.assert(
      fc.property(workloads, workloads, (live, config) => {
        const first = applied(stored(live, trackUpdate(workload, undefined, live, options('maker'))), config, 'helm', 1);
        const again = serverSideApply(workload, first, config, { ...options('helm', 2), force: false });
        expect(again.changed).toBe(false);
        expect(again.managedFields).toBe(entriesOf(first));
      }),
    );
  });

  test('on nothing it gives the configuration, and then another one in its place', () => {
    fc.assert(
      fc.property(workloads, workloads, (one, two) => {
        const first = applied(undefined, one, 'helm');
        expect(normal(first['spec'])).toEqual(normal(one['spec']));
        const second = applied(first, two, 'helm', 1);
        expect(normal(second['spec'] ?? {})).toEqual(normal(two['spec'] ?? {}));
      }),
    );
  });

  test('then applying nothing takes exactly its own fields away', () => {
    fc.assert(
      fc.property(workloads, workloads, (live, config) => {
        const base = stored(live, trackUpdate(workload, undefined, live, options('maker')));
        const with2 = applied(base, config, 'helm', 1);
        const bare: JsonObject = { apiVersion: 'apps/v1', kind: 'Workload', metadata: { name: 'w', namespace: 'd' } };
        const without = applied(with2, bare, 'helm', 2);
        const left = ownedPaths(without);
        const makers = new Set([...ownedPaths(with2)].filter((key) => left.has(key)));
        expect(left).toEqual(makers);
        expect(entriesOf(without).every(({ manager }) => manager === 'maker')).toBe(true);
        const stillThere = keysOf(fieldSetOf(workload, without));
        for (const key of keysOf(decodeManagers(entriesOf(without))?.values().next().value?.fields ?? emptySet)) {
          const present = stillThere.has(key) || [...stillThere].some((other) => other.startsWith(`${key}/`));
          expect(present).toBe(true);
        }
      }),
    );
  });

  test('only a conflict or a misfit is thrown, whatever the configuration', () => {
    const hostile = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(null, 'a', 1, true),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(
          fc.constantFrom('spec', 'metadata', 'containers', 'name', 'labels', 'ips', '__proto__', 'raw', 'managedFields', 'toString'),
          tie('value'),
          { maxKeys: 3 },
        ),
      ),
    })).value;
    fc.assert(
      fc.property(workloads, hostile, (live, config) => {
        try {
          serverSideApply(workload, stored(live, []), config, { ...options('x'), force: false });
        } catch (error) {
          expect(isStatusError(error)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});

test('tracking a chain of updates names the last writer of every field', () => {
  fc.assert(
    fc.property(fc.array(workloads, { minLength: 2, maxLength: 5 }), (versions) => {
      let live: JsonObject | undefined;
      versions.forEach((version, index) => {
        const next = live === undefined ? version : { ...version, metadata: { ...(version['metadata'] as JsonObject), uid: 'u' } };
        live = stored(next, trackUpdate(workload, live, next, options(`m${index}`, index)));
      });
      const managers = [...(decodeManagers(entriesOf(live ?? {})) ?? new Map()).values()];
      const all = managers.flatMap(({ fields }) => [...keysOf(fields)]);
      expect(new Set(all).size).toBe(all.length);
      const values = keysOf(fieldSetOf(workload, live ?? {}));
      for (const key of values) if (/f:(image|args|nodeSelector)$/.test(key)) expect(all).toContain(key);
    }),
  );
});
