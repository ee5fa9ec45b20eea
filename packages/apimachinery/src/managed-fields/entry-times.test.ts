import { expect, test } from 'vitest';
import type { ManagedFieldsEntry } from '../generated/meta-v1.ts';
import type { KubeObject } from '../object.ts';
import { withStoredTimes } from './entry-times.ts';

const entry = (manager: string, time: string, field = 'a'): ManagedFieldsEntry => ({
  manager,
  operation: 'Apply',
  apiVersion: 'v1',
  time,
  fieldsType: 'FieldsV1',
  fieldsV1: { [`f:${field}`]: {} },
});
const object = (...managedFields: ManagedFieldsEntry[]) =>
  ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', managedFields } }) as unknown as KubeObject;

test('times alone are no difference, in whatever order they put the entries', () => {
  const old = object(entry('a', '1'), entry('b', '2'));
  expect(withStoredTimes(object(entry('b', '2'), entry('a', '3')), old)).toEqual(old);
});

test('other fields, managers or numbers of entries are', () => {
  const old = object(entry('a', '1'));
  for (const next of [object(entry('a', '2', 'b')), object(entry('b', '2')), object(entry('a', '2'), entry('a', '2')), object()]) {
    expect(withStoredTimes(next, old)).toBe(next);
  }
});
