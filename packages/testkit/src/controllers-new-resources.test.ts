import { configMaps } from '@orrery/api';
import { isNotFound, type KubeObject, type Resource } from '@orrery/apimachinery';
import type { ResourceDefinition } from '@orrery/apiserver';
import { newVirtualClock } from '@orrery/base';
import { expect, test } from 'vitest';
import { startCluster } from './test-cluster.ts';

const widgets: Resource<KubeObject> = { group: 'example.com', version: 'v1', kind: 'Widget', resource: 'widgets', namespaced: true };
/** Served as a ConfigMap is, under another name: enough for machinery that only reads metadata. */
const definition: ResourceDefinition = { ...widgets, singular: 'widget', typeName: 'io.k8s.api.core.v1.ConfigMap', strategy: {} };

test('resources that appear while it runs are collected, and may go again', async () => {
  const clock = newVirtualClock();
  await using cluster = await startCluster({ clock, scheduler: false });
  const { client } = cluster;
  const { registry } = cluster.cluster.apiserver.handler;
  const exists = async (resource: Resource, name: string): Promise<boolean> => {
    try {
      await client.get(resource, { namespace: 'default', name });
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  };
  const within = async (seconds: number, check: () => Promise<boolean>): Promise<boolean> => {
    for (let passed = 0; passed < seconds; passed += 1) {
      if (await check()) return true;
      await clock.advance(1000);
    }
    return check();
  };
  registry.add(definition);
  const owner = await client.create(configMaps, { metadata: { namespace: 'default', name: 'owner' } });
  const reference = { apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: owner.metadata.uid };
  const widget = await client.create(widgets, { metadata: { namespace: 'default', name: 'w', ownerReferences: [reference] } });
  const toWidget = { apiVersion: 'example.com/v1', kind: 'Widget', name: 'w', uid: widget.metadata.uid };
  await client.create(configMaps, { metadata: { namespace: 'default', name: 'child', ownerReferences: [toWidget] } });
  await clock.advance(31_000);
  await client.delete(configMaps, { namespace: 'default', name: 'owner' });
  expect(await within(60, async () => !(await exists(widgets, 'w')))).toBe(true);
  expect(await within(60, async () => !(await exists(configMaps, 'child')))).toBe(true);

  await client.create(widgets, { metadata: { namespace: 'default', name: 'last' } });
  registry.remove(widgets);
  await clock.advance(120_000);
  registry.add(definition);
  expect(await exists(widgets, 'last')).toBe(true);
});
