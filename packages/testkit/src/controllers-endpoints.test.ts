import { endpointSlices, endpoints, pods, services } from '@orrery/api';
import type { ServiceSpec } from '@orrery/api/core/v1';
import type { EndpointSlice } from '@orrery/api/discovery/v1';
import { isNotFound } from '@orrery/apimachinery';
import { realClock } from '@orrery/base';
import type { Client } from '@orrery/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startCluster, type TestCluster } from './test-cluster.ts';

let cluster: TestCluster;
let client: Client;
beforeAll(async () => {
  cluster = await startCluster({ nodes: 2 });
  client = cluster.client;
});
afterAll(() => cluster.dispose());

const eventually = async (check: () => Promise<boolean>): Promise<void> => {
  while (!(await check())) await realClock.sleep(5);
};
const namespace = 'default';
const makeService = (name: string, spec: Partial<ServiceSpec>) =>
  client.create(services, {
    metadata: { name, namespace, labels: { tier: 'front' } },
    spec: { selector: { app: name }, ports: [{ port: 80, targetPort: 'http' }], ...spec },
  } as never);
const makePod = (app: string, name: string, port = 8080, spec: object = {}) =>
  client.create(pods, {
    metadata: { name, namespace, labels: { app } },
    spec: { containers: [{ name: 'c', image: 'i', ports: [{ name: 'http', containerPort: port }] }], ...spec },
  } as never);
const slicesOf = async (service: string): Promise<readonly EndpointSlice[]> =>
  (await client.list(endpointSlices, { namespace, labelSelector: `kubernetes.io/service-name=${service}` })).items;
const readyIn = async (service: string): Promise<number> =>
  (await slicesOf(service)).flatMap(({ endpoints: all }) => all ?? []).filter(({ conditions }) => conditions?.ready === true).length;
const endpointsOf = async (name: string) => {
  try {
    return await client.get(endpoints, { name, namespace });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
};

test('a service follows its pods', async () => {
  await makeService('web', {});
  await eventually(async () => (await slicesOf('web')).length === 1);
  const [empty] = await slicesOf('web');
  expect([empty?.addressType, empty?.endpoints ?? [], empty?.ports ?? []]).toEqual(['IPv4', [], []]);
  for (const name of ['web-0', 'web-1', 'web-2']) await makePod('web', name);
  await eventually(async () => (await readyIn('web')) === 3);
  const [slice, ...others] = await slicesOf('web');
  expect(others).toEqual([]);
  const service = await client.get(services, { name: 'web', namespace });
  expect(slice).toMatchObject({
    metadata: {
      generateName: 'web-',
      labels: { tier: 'front', 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' },
      ownerReferences: [
        { apiVersion: 'v1', kind: 'Service', name: 'web', uid: service.metadata.uid, controller: true, blockOwnerDeletion: true },
      ],
    },
    ports: [{ name: '', port: 8080, protocol: 'TCP' }],
  });
  const pod = await client.get(pods, { name: 'web-0', namespace });
  expect(slice?.endpoints?.find(({ targetRef }) => targetRef?.name === 'web-0')).toEqual({
    addresses: [pod.status?.podIP],
    conditions: { ready: true, serving: true, terminating: false },
    nodeName: pod.spec?.nodeName,
    targetRef: { kind: 'Pod', name: 'web-0', namespace, uid: pod.metadata.uid },
  });
  await eventually(async () => (await endpointsOf('web'))?.subsets?.[0]?.addresses?.length === 3);
  const object = await endpointsOf('web');
  expect(object?.metadata.labels).toEqual({ tier: 'front', 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' });
  expect(object?.metadata.annotations?.['endpoints.kubernetes.io/last-change-trigger-time']).toMatch(/Z$/);
  expect(object?.subsets?.[0]?.ports).toEqual([{ port: 8080, protocol: 'TCP' }]);

  await client.delete(pods, { name: 'web-1', namespace }, { gracePeriodSeconds: 0 });
  await eventually(async () => (await readyIn('web')) === 2 && (await endpointsOf('web'))?.subsets?.[0]?.addresses?.length === 2);
  await client.patch(pods, { name: 'web-2', namespace }, 'merge', { metadata: { labels: { app: 'other' } } });
  await eventually(async () => (await readyIn('web')) === 1 && (await endpointsOf('web'))?.subsets?.[0]?.addresses?.length === 1);
});

test('named ports with other numbers stand in slices of their own', async () => {
  await makeService('named', {});
  await makePod('named', 'named-0', 8080);
  await makePod('named', 'named-1', 9090);
  await eventually(async () => (await readyIn('named')) === 2);
  expect((await slicesOf('named')).map(({ ports }) => ports?.[0]?.port).sort()).toEqual([8080, 9090]);
  await eventually(async () => (await endpointsOf('named'))?.subsets?.length === 2);
});

test('headless: host names, pods that are not ready, no ports', async () => {
  await makeService('db', { clusterIP: 'None', publishNotReadyAddresses: true, ports: [] });
  await makePod('db', 'db-0', 1, { hostname: 'db-0', subdomain: 'db' });
  await eventually(async () => (await readyIn('db')) === 1);
  const [slice] = await slicesOf('db');
  expect(slice?.metadata.labels?.['service.kubernetes.io/headless']).toBe('');
  expect(slice?.endpoints?.[0]?.hostname).toBe('db-0');
  expect(slice?.ports ?? []).toEqual([]);
  await eventually(async () => (await endpointsOf('db'))?.subsets?.[0]?.addresses?.[0]?.hostname === 'db-0');
  expect((await endpointsOf('db'))?.metadata.labels?.['service.kubernetes.io/headless']).toBe('');
});

test('what is deleted or spoilt is made again; what belongs to nobody is deleted', async () => {
  await makeService('again', {});
  await makePod('again', 'again-0');
  await eventually(async () => (await readyIn('again')) === 1 && (await endpointsOf('again')) !== undefined);
  const before = await endpointsOf('again');
  await client.delete(endpoints, { name: 'again', namespace });
  for (const { metadata } of await slicesOf('again')) await client.delete(endpointSlices, metadata);
  await eventually(async () => (await readyIn('again')) === 1);
  await eventually(async () => {
    const now = await endpointsOf('again');
    return now !== undefined && now.metadata.uid !== before?.metadata.uid;
  });
  const [slice] = await slicesOf('again');
  if (slice !== undefined) await client.update(endpointSlices, { ...slice, endpoints: [] });
  await eventually(async () => (await readyIn('again')) === 1);
  await client.delete(services, { name: 'again', namespace });
  await eventually(async () => (await slicesOf('again')).length === 0 && (await endpointsOf('again')) === undefined);
});

test('a hundred pods at once: each stands in one slice', async () => {
  await makeService('many', {});
  const names = Array.from({ length: 100 }, (_, index) => `many-${index}`);
  await Promise.all(names.map((name) => makePod('many', name)));
  await eventually(async () => (await readyIn('many')) === 100);
  await eventually(async () => (await endpointsOf('many'))?.subsets?.[0]?.addresses?.length === 100);
  const seen = (await slicesOf('many')).flatMap(({ endpoints: all }) => all ?? []).map(({ targetRef }) => targetRef?.name);
  expect(new Set(seen).size).toBe(100);
  expect(seen).toHaveLength(100);
});

test('hand-made endpoints of a service without a selector are mirrored', async () => {
  const managedBy = (manager: string) => `kubernetes.io/service-name=manual,endpointslice.kubernetes.io/managed-by=${manager}`;
  const mirrored = async () =>
    (await client.list(endpointSlices, { namespace, labelSelector: managedBy('endpointslicemirroring-controller.k8s.io') })).items;
  await client.create(services, { metadata: { name: 'manual', namespace }, spec: { ports: [{ port: 80 }] } } as never);
  const subsets = [{ addresses: [{ ip: '10.1.2.3' }], notReadyAddresses: [{ ip: '10.1.2.4' }], ports: [{ port: 80 }] }];
  const annotations = { 'example.com/a': 'b' };
  const made = await client.create(endpoints, { metadata: { name: 'manual', namespace, labels: { of: 'mine' }, annotations }, subsets });
  await eventually(async () => (await mirrored()).length === 1);
  const [slice] = await mirrored();
  expect(slice?.metadata).toMatchObject({
    labels: { of: 'mine' },
    annotations,
    ownerReferences: [{ kind: 'Endpoints', uid: made.metadata.uid }],
  });
  expect(slice?.endpoints?.map(({ addresses, conditions }) => [addresses[0], conditions?.ready])).toEqual([
    ['10.1.2.3', true],
    ['10.1.2.4', false],
  ]);
  await client.update(endpoints, { ...made, subsets: [{ addresses: [{ ip: '10.1.2.9' }], ports: [{ port: 80, protocol: 'TCP' }] }] });
  await eventually(async () => (await mirrored())[0]?.endpoints?.[0]?.addresses[0] === '10.1.2.9');
  expect((await mirrored()).flatMap(({ endpoints: all }) => all ?? [])).toHaveLength(1);
  await client.patch(endpoints, { name: 'manual', namespace }, 'merge', {
    metadata: { labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
  });
  await eventually(async () => (await mirrored()).length === 0);
  await client.patch(endpoints, { name: 'manual', namespace }, 'merge', {
    metadata: { labels: { 'endpointslice.kubernetes.io/skip-mirror': null } },
  });
  await eventually(async () => (await mirrored()).length === 1);
  await client.delete(endpoints, { name: 'manual', namespace });
  await eventually(async () => (await mirrored()).length === 0);
});
