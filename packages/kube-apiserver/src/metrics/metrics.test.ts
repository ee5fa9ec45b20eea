import { nodes, pods } from '@orrery/api';
import { isNotFound, type Resource } from '@orrery/apimachinery';
import { newVirtualClock, type VirtualClock } from '@orrery/base';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApi, type TestApi } from '../testing/test-api.ts';
import { type NodeMetrics, newMetricsDefinitions, type PodMetrics } from './definitions.ts';
import { newKubeletSummaries } from './kubelet-summaries.ts';
import type { Summary } from './summary.ts';

const group = { group: 'metrics.k8s.io', version: 'v1beta1' } as const;
const podMetrics: Resource<PodMetrics> = { ...group, kind: 'PodMetrics', resource: 'pods', namespaced: true };
const nodeMetrics: Resource<NodeMetrics> = { ...group, kind: 'NodeMetrics', resource: 'nodes', namespaced: false };

let api: TestApi;
let clock: VirtualClock;
let reads: string[];

/** Half a core and a bit of memory, since time 0. */
const summaryAt = (ms: number): Summary => {
  const usage = { cpu: { usageCoreNanoSeconds: ms * 500_000 }, memory: { workingSetBytes: 64 * 1024 * 1024 } };
  const of = (name: string) => ({ podRef: { name, namespace: 'default' }, containers: [{ name: 'c', ...usage }] });
  return { node: usage, pods: [of('p'), of('q')] };
};

beforeAll(async () => {
  api = await startTestApi();
  clock = newVirtualClock();
  reads = [];
  const context = { client: api.client, kubeletTls: { ca: '', cert: '', key: '' } };
  const summaries = newKubeletSummaries(context, clock, async (_, node) => {
    reads.push(node);
    if (node === 'away') throw new Error('no answer');
    return summaryAt(clock.monotonicMs());
  });
  for (const definition of newMetricsDefinitions({ client: api.client, summaries, clock })) api.handler.registry.add(definition);
  for (const name of ['n1', 'away']) await api.client.create(nodes, { metadata: { name, labels: { zone: name } }, spec: {} });
  for (const [name, nodeName] of [
    ['p', 'n1'],
    ['q', 'n1'],
    ['r', 'away'],
  ] as const) {
    const spec = { nodeName, containers: [{ name: 'c', image: 'a:1' }] };
    const pod = await api.client.create(pods, { metadata: { namespace: 'default', name, labels: { app: name } }, spec });
    await api.client.updateStatus(pods, { ...pod, status: { phase: 'Running' } });
  }
});
afterAll(() => api.close());

/** Lets the second between two samples pass. */
async function soon<T>(result: Promise<T>): Promise<T> {
  let done = false;
  const finish = () => {
    done = true;
  };
  result.then(finish, finish);
  while (!done) await clock.advance(100);
  return result;
}

test('use of nodes and pods, from two samples; a node that does not answer is left out', async () => {
  const { items } = await soon(api.client.list(nodeMetrics));
  expect(items).toMatchObject([
    {
      kind: 'NodeMetrics',
      apiVersion: 'metrics.k8s.io/v1beta1',
      metadata: { name: 'n1', labels: { zone: 'n1' } },
      window: '1s',
      usage: { cpu: '500m', memory: '64Mi' },
    },
  ]);
  expect(items[0]?.metadata.uid).toBeUndefined();
  const inNamespace = await soon(api.client.list(podMetrics, { namespace: 'default' }));
  expect(inNamespace.items.map(({ metadata, containers }) => [metadata.name, containers])).toEqual([
    ['p', [{ name: 'c', usage: { cpu: '500m', memory: '64Mi' } }]],
    ['q', [{ name: 'c', usage: { cpu: '500m', memory: '64Mi' } }]],
  ]);
});

test('what is young is given again; later the last sample begins the next window', async () => {
  await soon(api.client.list(nodeMetrics));
  const before = reads.filter((node) => node === 'n1').length;
  await soon(api.client.list(nodeMetrics));
  expect(reads.filter((node) => node === 'n1')).toHaveLength(before);
  await clock.advance(15_000);
  const { items } = await soon(api.client.list(nodeMetrics));
  expect(reads.filter((node) => node === 'n1')).toHaveLength(before + 1);
  expect(Number.parseFloat(items[0]?.window ?? '')).toBeGreaterThanOrEqual(15);
  expect(items[0]?.usage.cpu).toBe('500m');
});

test('selectors and names', async () => {
  const names = async (options: object) => (await soon(api.client.list(podMetrics, options))).items.map(({ metadata }) => metadata.name);
  expect(await names({ labelSelector: 'app=q' })).toEqual(['q']);
  expect(await names({ fieldSelector: 'metadata.name=p' })).toEqual(['p']);
  expect(await names({ namespace: 'other' })).toEqual([]);
  expect((await soon(api.client.get(podMetrics, { namespace: 'default', name: 'p' }))).containers).toHaveLength(1);
  await expect(soon(api.client.get(podMetrics, { namespace: 'default', name: 'r' }))).rejects.toSatisfy(isNotFound);
  await expect(soon(api.client.list(podMetrics, { fieldSelector: 'spec.nodeName=n1' }))).rejects.toMatchObject({ reason: 'BadRequest' });
});
