import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Json, JsonObject } from '../json.ts';
import { deepFreeze } from '../json.ts';
import { applyMergePatch, createMergePatch } from './merge-patch.ts';

describe('applyMergePatch', () => {
  const cases = [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    ['foo', { a: 1 }, { a: 1 }],
  ] as const;
  for (const [before, patch, after] of cases) {
    test(`${JSON.stringify(before)} + ${JSON.stringify(patch)}`, () => {
      expect(applyMergePatch(deepFreeze(before) as Json, deepFreeze(patch))).toEqual(after);
    });
  }

  test('gives the same object where nothing changes, and shares the rest where something does', () => {
    const before = deepFreeze({ a: { b: 1 }, c: { d: 2 } });
    expect(applyMergePatch(before, { a: { b: 1, x: null } })).toBe(before);
    const after = applyMergePatch(before, { a: { b: 2 } }) as typeof before;
    expect(after.c).toBe(before.c);
  });

  test('refuses what is no object, and keeps __proto__ as data', () => {
    expect(() => applyMergePatch({}, [1])).toThrow('Invalid JSON Patch');
    const patched = applyMergePatch({}, JSON.parse('{"__proto__":{"polluted":1}}')) as JsonObject;
    expect(Object.keys(patched)).toEqual(['__proto__']);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test('a document too deep is refused with a Status', () => {
    const deep = JSON.parse(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`);
    expect(() => applyMergePatch({}, deep)).toThrow('exceeded max depth');
  });
});

const withoutNulls = (value: Json): Json => {
  if (Array.isArray(value)) return value.map((item) => withoutNulls(item as Json));
  if (typeof value !== 'object' || value === null) return value;
  const object = value as JsonObject;
  return Object.fromEntries(
    Object.entries(object).flatMap(([key, child]) => (child === null || child === undefined ? [] : [[key, withoutNulls(child)]])),
  );
};

test('a created patch leads from one document to the other', () => {
  const document = fc
    .dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.jsonValue({ maxDepth: 3 }))
    .map((value) => withoutNulls(value as Json) as JsonObject);
  fc.assert(
    fc.property(document, document, (before, after) => {
      const patch = createMergePatch(before, after);
      expect(applyMergePatch(deepFreeze(before), patch)).toEqual(after);
      expect(createMergePatch(after, after)).toEqual({});
    }),
  );
});
