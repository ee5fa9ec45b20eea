import { configMaps, deployments, events, namespaces, nodes, pods, replicaSets } from '@orrery/api';
import type { ConfigMap } from '@orrery/api/core/v1';
import { isNotFound, type KubeObject, type NamespacedName, type OwnerReference, type Resource } from '@orrery/apimachinery';
import { realClock } from '@orrery/base';
import type { Client } from '@orrery/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCluster, type TestCluster } from './test-cluster.ts';

let cluster: TestCluster;
let client: Client;
beforeAll(async () => {
  cluster = await startCluster({ scheduler: false });
  client = cluster.client;
});
afterAll(() => cluster.dispose());

const eventually = async (check: () => Promise<boolean>): Promise<void> => {
  while (!(await check())) await realClock.sleep(5);
};
const gone = async (resource: Resource, key: NamespacedName): Promise<boolean> => {
  try {
    await client.get(resource, key);
    return false;
  } catch (error) {
    if (isNotFound(error)) return true;
    throw error;
  }
};
const at = (name: string, namespace = 'default') => ({ name, namespace });
const ref = (owner: KubeObject, flags: Partial<OwnerReference> = {}): OwnerReference => ({
  apiVersion: owner.apiVersion,
  kind: owner.kind,
  name: owner.metadata.name,
  uid: owner.metadata.uid,
  ...flags,
});
const make = (name: string, owners: readonly OwnerReference[] = [], namespace = 'default'): Promise<ConfigMap> =>
  client.create(configMaps, { metadata: { ...at(name, namespace), ownerReferences: owners } });
const ownersOf = async (name: string): Promise<readonly string[]> =>
  ((await client.get(configMaps, at(name))).metadata.ownerReferences ?? []).map((owner) => owner.name);
const blocking = { blockOwnerDeletion: true };

describe('background', () => {
  test('what a deployment has made goes after it', async () => {
    const labels = { app: 'gc' };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    await client.create(deployments, { metadata: at('web'), spec: { replicas: 3, selector: { matchLabels: labels }, template } } as never);
    await eventually(async () => (await client.list(pods, { labelSelector: 'app=gc' })).items.length === 3);
    await client.delete(deployments, at('web'));
    await eventually(async () => (await client.list(replicaSets, { labelSelector: 'app=gc' })).items.length === 0);
    await eventually(async () => (await client.list(pods, { labelSelector: 'app=gc' })).items.length === 0);
  });

  test('a second owner that lives keeps the object, without the reference that dangles', async () => {
    const [a, b] = [await make('two-a'), await make('two-b')];
    await make('two-child', [ref(a), ref(b)]);
    await client.delete(configMaps, at('two-a'));
    await eventually(async () => (await ownersOf('two-child')).length === 1);
    expect(await ownersOf('two-child')).toEqual(['two-b']);
    await client.delete(configMaps, at('two-b'));
    await eventually(() => gone(configMaps, at('two-child')));
  });

  test('an owner that never was, or that is another object now', async () => {
    const owner = await make('real');
    await make('of-ghost', [{ ...ref(owner), name: 'ghost', uid: '00000000-0000-4000-8000-00000000dead' }]);
    await make('of-impostor', [{ ...ref(owner), uid: '00000000-0000-4000-8000-00000000beef' }]);
    await eventually(() => gone(configMaps, at('of-ghost')));
    await eventually(() => gone(configMaps, at('of-impostor')));
    expect(await gone(configMaps, at('real'))).toBe(false);
  });

  test('an owner that is made again under its name is another one', async () => {
    const owner = await make('again');
    await make('again-child', [ref(owner)]);
    await client.delete(configMaps, at('again'));
    await make('again');
    await eventually(() => gone(configMaps, at('again-child')));
  });
});

describe('foreground', () => {
  test('the owner waits for the dependents that block, not for others', async () => {
    const owner = await make('fg');
    await make('fg-blocking', [ref(owner, blocking)]);
    await client.patch(configMaps, at('fg-blocking'), 'merge', { metadata: { finalizers: ['example.com/hold'] } });
    const other = await make('fg-other', [ref(owner)]);
    await client.patch(configMaps, at('fg-other'), 'merge', { metadata: { finalizers: ['example.com/hold'] } });
    await client.delete(configMaps, at('fg'), { propagationPolicy: 'Foreground' });
    await eventually(async () => (await client.get(configMaps, at('fg-blocking'))).metadata.deletionTimestamp !== undefined);
    expect((await client.get(configMaps, at('fg'))).metadata.finalizers).toEqual(['foregroundDeletion']);
    await client.patch(configMaps, at('fg-blocking'), 'merge', { metadata: { finalizers: null } });
    await eventually(() => gone(configMaps, at('fg')));
    expect(await gone(configMaps, at('fg-other'))).toBe(false);
    await client.patch(configMaps, at('fg-other'), 'merge', { metadata: { finalizers: null } });
    await eventually(() => gone(configMaps, at('fg-other')));
    expect(other.metadata.uid).toBeTruthy();
  });

  test('three generations go from the leaves', async () => {
    const top = await make('g1');
    const middle = await make('g2', [ref(top, blocking)]);
    await make('g3', [ref(middle, blocking)]);
    await client.delete(configMaps, at('g1'), { propagationPolicy: 'Foreground' });
    for (const name of ['g1', 'g2', 'g3']) await eventually(() => gone(configMaps, at(name)));
  });

  test('a dependent with another owner stays, and no longer blocks', async () => {
    const [going, staying] = [await make('fo-going'), await make('fo-staying')];
    await make('fo-child', [ref(going, blocking), ref(staying)]);
    await client.delete(configMaps, at('fo-going'), { propagationPolicy: 'Foreground' });
    await eventually(() => gone(configMaps, at('fo-going')));
    expect(await ownersOf('fo-child')).toEqual(['fo-staying']);
  });

  test('a cycle of owners does not wait for itself', async () => {
    const a = await make('cycle-a');
    const b = await make('cycle-b', [ref(a, blocking)]);
    await client.patch(configMaps, at('cycle-a'), 'merge', { metadata: { ownerReferences: [ref(b, blocking)] } });
    await client.delete(configMaps, at('cycle-a'), { propagationPolicy: 'Foreground' });
    for (const name of ['cycle-a', 'cycle-b']) await eventually(() => gone(configMaps, at(name)));
  });
});

test('orphans lose the reference and live', async () => {
  const owner = await make('orphaner');
  await make('orphan', [ref(owner, blocking)]);
  await client.delete(configMaps, at('orphaner'), { propagationPolicy: 'Orphan' });
  await eventually(() => gone(configMaps, at('orphaner')));
  expect(await ownersOf('orphan')).toEqual([]);
});

describe('scopes', () => {
  test('an owner in another namespace does not count, and an event says so', async () => {
    await client.create(namespaces, { metadata: { name: 'elsewhere' }, spec: {} });
    const owner = await make('far', [], 'elsewhere');
    const child = await make('near', [ref(owner)]);
    await eventually(() => gone(configMaps, at('near')));
    const fieldSelector = `involvedObject.uid=${child.metadata.uid},reason=OwnerRefInvalidNamespace`;
    await eventually(async () => (await client.list(events, { namespace: 'default', fieldSelector })).items.length > 0);
    const [event] = (await client.list(events, { namespace: 'default', fieldSelector })).items;
    expect(event?.message).toBe(
      `ownerRef [v1/ConfigMap, namespace: default, name: far, uid: ${owner.metadata.uid}] does not exist in namespace "default"`,
    );
    expect(await gone(configMaps, at('far', 'elsewhere'))).toBe(false);
  });

  test('a cluster-scoped owner has dependents everywhere; a namespaced one none outside', async () => {
    const node = await client.create(nodes, { metadata: { name: 'owner-node' }, spec: {} });
    await make('of-node', [ref(node)]);
    const namespaced = await make('ns-owner');
    await client.create(nodes, { metadata: { name: 'wrong-node', ownerReferences: [ref(namespaced)] }, spec: {} });
    await client.delete(configMaps, at('ns-owner'));
    await client.delete(nodes, { name: 'owner-node' });
    await eventually(() => gone(configMaps, at('of-node')));
    expect(await gone(nodes, { name: 'wrong-node' })).toBe(false);
  });
});
