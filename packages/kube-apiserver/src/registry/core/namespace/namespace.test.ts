import { namespaces } from '@orrery/api';
import type { Namespace } from '@orrery/api/core/v1';
import { isConflict, isNotFound } from '@orrery/apimachinery';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApi, type TestApi } from '../../../testing/test-api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ admission: {} });
});
afterAll(() => api.close());

test('a namespace goes through Terminating until its finalizers are gone', async () => {
  const created = await api.client.create(namespaces, { metadata: { name: 'a' }, spec: {} });
  expect(created.spec.finalizers).toEqual(['kubernetes']);
  expect(created.status.phase).toBe('Active');
  expect(created.metadata.labels).toEqual({ 'kubernetes.io/metadata.name': 'a' });
  expect(created.metadata.generation).toBeUndefined();
  await api.client.delete(namespaces, { name: 'a' });
  const going = await api.client.get(namespaces, { name: 'a' });
  expect(going.status.phase).toBe('Terminating');
  expect(going.metadata.deletionTimestamp).toBeTruthy();
  await expect(api.client.delete(namespaces, { name: 'a' })).rejects.toSatisfy(isConflict);
  const done: Namespace = { ...going, spec: { finalizers: [] } };
  await api.client.update(namespaces, done, { subresource: 'finalize' });
  await expect(api.client.get(namespaces, { name: 'a' })).rejects.toSatisfy(isNotFound);
});

test('finalizers change through /finalize alone', async () => {
  const created = await api.client.create(namespaces, { metadata: { name: 'b' }, spec: {} });
  const updated = await api.client.update(namespaces, { ...created, spec: { finalizers: [] } });
  expect(updated.spec.finalizers).toEqual(['kubernetes']);
});

test('a generated name is in the label too', async () => {
  const { metadata } = await api.client.create(namespaces, { metadata: { generateName: 'gen-' } as never, spec: {} });
  expect(metadata.labels?.['kubernetes.io/metadata.name']).toBe(metadata.name);
});
