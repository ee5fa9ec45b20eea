import type { KubeObject, NamespacedName, Resource } from '@orrery/apimachinery';
import { isInvalid, isNotFound } from '@orrery/apimachinery';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { minimalObjects } from '../testing/minimal-objects.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';
import { resources } from './resources.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const resourceOf = ({ group, version, kind, resource, namespaced }: (typeof resources)[number]): Resource => ({
  group,
  version,
  kind,
  resource,
  namespaced,
});

/** Every kind keeps the generic contract through the real write path. */
describe.each(resources.map((definition) => [`${definition.group}/${definition.kind}`, definition] as const))(
  'contract of %s',
  (kind, definition) => {
    const resource = resourceOf(definition);
    const minimal = minimalObjects[kind];
    // Some kinds have names of a form of their own.
    const name = minimal?.metadata?.name ?? `contract-${definition.group.split('.')[0] || 'core'}`;
    const dry = minimal?.metadata?.name ?? 'dry';
    const key: NamespacedName = definition.namespaced ? { namespace: 'default', name } : { name };
    const make = (metadata: object = {}): KubeObject =>
      ({ ...minimal, metadata: { ...key, ...minimal?.metadata, ...metadata } }) as KubeObject;

    test('an object is created, read, listed, updated without effect, and deleted', async () => {
      const created = await api.client.create(resource, make() as never);
      expect(created.kind).toBe(definition.kind);
      expect(created.metadata.uid).toBeTruthy();
      const read = await api.client.get(resource, key);
      expect(read).toEqual(created);
      const { items } = await api.client.list(resource, {
        ...(definition.namespaced ? { namespace: 'default' } : {}),
        fieldSelector: `metadata.name=${name}`,
      });
      expect(items).toEqual([created]);
      const same = await api.client.update(resource, read);
      expect(same.metadata.resourceVersion).toBe(created.metadata.resourceVersion);
      const labelled = await api.client.patch(resource, key, 'merge', { metadata: { labels: { touched: 'yes' } } });
      expect(labelled.metadata.labels?.['touched']).toBe('yes');
      expect(labelled.metadata.generation).toBe(
        definition.strategy.generationOf === undefined || kind !== 'discovery.k8s.io/EndpointSlice' ? created.metadata.generation : 2,
      );
      await api.client.delete(resource, key, { gracePeriodSeconds: 0, propagationPolicy: 'Background' });
      if (definition.kind !== 'Namespace') await expect(api.client.get(resource, key)).rejects.toSatisfy(isNotFound);
      else expect((await api.client.get(resource, key)).metadata.deletionTimestamp).toBeTruthy();
    });

    test('a bad name is refused', async () => {
      await expect(api.client.create(resource, make({ name: 'Not/A_Name' }) as never)).rejects.toSatisfy(isInvalid);
    });

    test('a dry run leaves nothing', async () => {
      await api.client.create(resource, make({ name: dry }) as never, { dryRun: true });
      await expect(api.client.get(resource, { ...key, name: dry })).rejects.toSatisfy(isNotFound);
    });

    test('unknown fields are refused when asked for', async () => {
      const object = { ...make({ name: 'strict' }), unheardOf: 1 };
      await expect(api.client.create(resource, object as never, { fieldValidation: 'Strict' })).rejects.toThrow(
        /unknown field "unheardOf"/,
      );
    });
  },
);
