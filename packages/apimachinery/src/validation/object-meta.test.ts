import { describe, expect, test } from 'vitest';
import { validateLabelSelector } from './labels-validation.ts';
import { validateObjectMeta, validateObjectMetaUpdate } from './object-meta.ts';

const show = (errors: readonly { readonly field: string; readonly message: string }[]): string[] =>
  errors.map(({ field, message }) => `${field}: ${message}`);

const owner = (kind: string, name: string, controller: boolean) => ({ apiVersion: 'apps/v1', kind, name, uid: name, controller });

describe('validateObjectMeta', () => {
  test('a plain object passes', () => {
    const meta = {
      name: 'web',
      namespace: 'default',
      labels: { app: 'web' },
      annotations: { 'Example.com/A': 'x' },
      finalizers: ['example.com/f'],
    };
    expect(validateObjectMeta(meta, { namespaced: true })).toEqual([]);
  });

  const cases = [
    ['no name', {}, true, ['metadata.name: Required value: name or generateName is required', 'metadata.namespace: Required value']],
    [
      'a namespace on a cluster-scoped kind',
      { name: 'a', namespace: 'b' },
      false,
      ['metadata.namespace: Forbidden: not allowed on this type'],
    ],
    [
      'two controllers',
      { name: 'a', ownerReferences: [owner('ReplicaSet', 'x', true), owner('Job', 'y', true)] },
      false,
      ['Only one reference can have Controller set to true. Found "true" in references for ReplicaSet/x and Job/y'],
    ],
    [
      'both deletion finalizers',
      { name: 'a', finalizers: ['orphan', 'foregroundDeletion'] },
      false,
      ['finalizer orphan and foregroundDeletion cannot be both set'],
    ],
    [
      'too many annotations',
      { name: 'a', annotations: { x: 'y'.repeat(262_144) } },
      false,
      ['metadata.annotations: Too long: may not be more than 262144 bytes'],
    ],
    [
      'a negative generation',
      { name: 'a', generation: -1 },
      false,
      ['metadata.generation: Invalid value: -1: must be greater than or equal to 0'],
    ],
    [
      'an unknown operation',
      { name: 'a', managedFields: [{ operation: 'Nap', manager: 'a\u0007' }] },
      false,
      [
        'metadata.managedFields[0].operation: Invalid value: "Nap": must be `Apply` or `Update`',
        'metadata.managedFields[0].manager: Invalid value: "a\\u0007": invalid character U+0007 (at position 1)',
      ],
    ],
  ] as const;
  for (const [name, meta, namespaced, want] of cases) {
    test(name, () => {
      const got = show(validateObjectMeta(meta, { namespaced }));
      expect(got).toHaveLength(want.length);
      for (const [index, text] of want.entries()) expect(got[index]).toContain(text);
    });
  }
});

describe('validateObjectMetaUpdate', () => {
  const old = { name: 'a', namespace: 'b', uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };

  test('an unchanged object passes', () => expect(validateObjectMetaUpdate({ ...old, labels: { a: 'b' } }, old)).toEqual([]));

  const cases = [
    ['another name', { ...old, name: 'c' }, old, ['metadata.name: Invalid value: "c": field is immutable']],
    ['no version', { ...old, resourceVersion: '' }, old, ['metadata.resourceVersion: Invalid value: "": must be specified for an update']],
    [
      'a new finalizer while deleting',
      { ...old, deletionTimestamp: 'x', finalizers: ['b/c'] },
      { ...old, deletionTimestamp: 'x' },
      [
        'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"b/c"}',
      ],
    ],
    [
      'a smaller generation',
      { ...old, generation: 1 },
      { ...old, generation: 2 },
      ['metadata.generation: Invalid value: 1: must not be decremented'],
    ],
  ] as const;
  for (const [name, next, before, want] of cases) test(name, () => expect(show(validateObjectMetaUpdate(next, before))).toEqual(want));
});

test('validateLabelSelector', () => {
  const selector = {
    matchLabels: { app: 'web' },
    matchExpressions: [
      { key: 'a', operator: 'In' },
      { key: 'a', operator: 'Exists', values: ['x'] },
      { key: 'a', operator: 'Like' },
    ],
  };
  expect(show(validateLabelSelector(selector, 'spec.selector'))).toEqual([
    "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
    "spec.selector.matchExpressions[1].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
    'spec.selector.matchExpressions[2].operator: Invalid value: "Like": not a valid selector operator',
  ]);
});
