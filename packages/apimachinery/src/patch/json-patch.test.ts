import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isStatusError } from '../errors/status-error.ts';
import { deepFreeze } from '../json.ts';
import { applyJsonPatch } from './json-patch.ts';

const codeOf = (work: () => unknown): number => {
  try {
    work();
  } catch (error) {
    if (!isStatusError(error)) throw error;
    return error.code;
  }
  return 200;
};

describe('applyJsonPatch', () => {
  const cases = [
    ['adds a member', { foo: 'bar' }, [{ op: 'add', path: '/baz', value: 'qux' }], { baz: 'qux', foo: 'bar' }],
    ['adds an element', { foo: ['bar', 'baz'] }, [{ op: 'add', path: '/foo/1', value: 'qux' }], { foo: ['bar', 'qux', 'baz'] }],
    ['appends', { foo: ['bar'] }, [{ op: 'add', path: '/foo/-', value: ['abc'] }], { foo: ['bar', ['abc']] }],
    ['removes a member', { baz: 'qux', foo: 'bar' }, [{ op: 'remove', path: '/baz' }], { foo: 'bar' }],
    ['removes an element', { foo: [1, 2, 3] }, [{ op: 'remove', path: '/foo/1' }], { foo: [1, 3] }],
    ['replaces', { a: { b: 1 } }, [{ op: 'replace', path: '/a/b', value: 2 }], { a: { b: 2 } }],
    ['replaces the document', { a: 1 }, [{ op: 'replace', path: '', value: { b: 2 } }], { b: 2 }],
    ['moves', { a: { b: 1 }, c: {} }, [{ op: 'move', from: '/a/b', path: '/c/d' }], { a: {}, c: { d: 1 } }],
    [
      'moves an element',
      { foo: ['all', 'grass', 'cows', 'eat'] },
      [{ op: 'move', from: '/foo/1', path: '/foo/3' }],
      { foo: ['all', 'cows', 'eat', 'grass'] },
    ],
    [
      'copies without sharing',
      { a: { b: 1 } },
      [
        { op: 'copy', from: '/a', path: '/c' },
        { op: 'add', path: '/c/b', value: 2 },
      ],
      { a: { b: 1 }, c: { b: 2 } },
    ],
    ['tests', { a: { b: [1, { c: 2 }] } }, [{ op: 'test', path: '/a', value: { b: [1, { c: 2 }] } }], { a: { b: [1, { c: 2 }] } }],
    [
      'unescapes',
      { '/': 9, '~1': 10 },
      [
        { op: 'replace', path: '/~01', value: 1 },
        { op: 'remove', path: '/~1' },
      ],
      { '~1': 1 },
    ],
    ['takes an absent value for null in a test', { a: 1 }, [{ op: 'test', path: '/b', value: null }], { a: 1 }],
    ['adds null', { a: 1 }, [{ op: 'add', path: '/b', value: null }], { a: 1, b: null }],
    ['counts from the end', { a: [1, 2] }, [{ op: 'replace', path: '/a/-1', value: 3 }], { a: [1, 3] }],
  ] as const;
  for (const [name, before, patch, after] of cases) {
    test(name, () => expect(applyJsonPatch(deepFreeze(before), deepFreeze(patch))).toEqual(after));
  }

  const bad = [
    ['no array', {}, { op: 'add' }, 400],
    ['an operation that is no object', {}, ['add'], 400],
    ['an unknown operation', {}, [{ op: 'nap', path: '/a' }], 422],
    ['a path into nowhere', {}, [{ op: 'add', path: '/a/b', value: 1 }], 422],
    ['a removal of nothing', {}, [{ op: 'remove', path: '/a' }], 422],
    ['a replacement of nothing', {}, [{ op: 'replace', path: '/a', value: 1 }], 422],
    ['an index past the end', { a: [1] }, [{ op: 'add', path: '/a/2', value: 1 }], 422],
    ['a failed test', { a: 1 }, [{ op: 'test', path: '/a', value: 2 }], 422],
    ['a move into itself', { a: {} }, [{ op: 'move', from: '/a', path: '/a/b' }], 422],
    ['a prototype', {}, [{ op: 'add', path: '/__proto__/polluted', value: 1 }], 422],
    ['an inherited name', {}, [{ op: 'add', path: '/constructor/prototype', value: 1 }], 422],
    ['no value', {}, [{ op: 'add', path: '/a' }], 422],
    ['too many operations', {}, new Array(10_001).fill({ op: 'test', path: '', value: {} }), 413],
    ['copies that grow without end', { a: ['x'.repeat(100_000)] }, new Array(40).fill({ op: 'copy', from: '/a', path: '/a/-' }), 422],
  ] as const;
  for (const [name, before, patch, code] of bad)
    test(`refuses ${name}`, () => expect(codeOf(() => applyJsonPatch(before, patch))).toBe(code));

  test('shares what it leaves alone', () => {
    const before = { a: { big: [1] }, b: { c: 1 } };
    const after = applyJsonPatch(deepFreeze(before), [{ op: 'replace', path: '/b/c', value: 2 }]) as typeof before;
    expect(after.a).toBe(before.a);
  });

  test('hostile patches end in a Status', () => {
    const operation = fc.record({
      op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test', 'x'),
      path: fc.constantFrom('', '/', '/a', '/a/0', '/a/-', '/b/c', '/__proto__', '/constructor', '/a/-1', '~'),
      from: fc.constantFrom('', '/a', '/b/c', '/a/0'),
      value: fc.jsonValue(),
    });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 12 }), (patch) => {
        const code = codeOf(() => applyJsonPatch(deepFreeze({ a: [1, { d: 2 }], b: { c: 3 } }), patch));
        expect([200, 400, 422]).toContain(code);
      }),
    );
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});
