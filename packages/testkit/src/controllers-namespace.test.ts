import { configMaps, namespaces, pods, secrets, serviceAccounts } from '@orrery/api';
import { isNotFound, type KubeObject, type Resource } from '@orrery/apimachinery';
import { realClock } from '@orrery/base';
import { type Client, isConditionTrue } from '@orrery/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
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
const exists = async (resource: Resource, name: string, namespace?: string): Promise<boolean> => {
  try {
    await client.get(resource, { name, namespace });
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
};
async function fill(namespace: string): Promise<void> {
  await client.create(namespaces, { metadata: { name: namespace }, spec: {} });
  await eventually(() => exists(serviceAccounts, 'default', namespace));
  await client.create(configMaps, { metadata: { name: 'a', namespace } });
  await client.create(secrets, { metadata: { name: 'a', namespace } });
  const spec = { containers: [{ name: 'c', image: 'i' }] };
  await client.create(pods, { metadata: { name: 'a', namespace }, spec });
}
const conditionsOf = async (name: string) => (await client.get(namespaces, { name })).status?.conditions ?? [];
const hold = (resource: Resource<KubeObject>, namespace: string, finalizers: readonly string[] | null) =>
  client.patch(resource, { name: 'a', namespace }, 'merge', { metadata: { finalizers } });

test('a namespace goes with everything in it', async () => {
  await fill('whole');
  await client.delete(namespaces, { name: 'whole' });
  await eventually(async () => !(await exists(namespaces, 'whole')));
  for (const resource of [configMaps, secrets, pods, serviceAccounts]) {
    expect((await client.list(resource, { namespace: 'whole' })).items).toEqual([]);
  }
});

test('pods go first; the conditions say what remains', async () => {
  await fill('held');
  await hold(pods, 'held', ['example.com/hold']);
  await hold(configMaps, 'held', ['example.com/hold']);
  await client.delete(namespaces, { name: 'held' });
  await eventually(async () => isConditionTrue(await conditionsOf('held'), 'NamespaceContentRemaining'));
  const messages = async () => (await conditionsOf('held')).filter(({ status }) => status === 'True').map(({ message }) => message);
  expect(await messages()).toEqual([
    'Some resources are remaining: pods. has 1 resource instances',
    'Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances',
  ]);
  expect(await exists(secrets, 'a', 'held')).toBe(true);
  await hold(pods, 'held', null);
  await eventually(async () => !(await exists(secrets, 'a', 'held')));
  await eventually(async () => (await messages())[0]?.includes('configmaps') === true);
  expect(await messages()).toEqual([
    'Some resources are remaining: configmaps. has 1 resource instances',
    'Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances',
  ]);
  await hold(configMaps, 'held', null);
  await eventually(async () => !(await exists(namespaces, 'held')));
});

test('a namespace that others hold too stays, empty', async () => {
  await fill('shared');
  const current = await client.get(namespaces, { name: 'shared' });
  const finalizers = [...(current.spec?.finalizers ?? []), 'example.com/hold'];
  await client.update(namespaces, { ...current, spec: { finalizers } }, { subresource: 'finalize' });
  await client.delete(namespaces, { name: 'shared' });
  await eventually(async () => (await client.get(namespaces, { name: 'shared' })).spec?.finalizers?.length === 1);
  expect((await client.list(configMaps, { namespace: 'shared' })).items).toEqual([]);
  const last = await client.get(namespaces, { name: 'shared' });
  await client.update(namespaces, { ...last, spec: { finalizers: [] } }, { subresource: 'finalize' });
  await eventually(async () => !(await exists(namespaces, 'shared')));
});
