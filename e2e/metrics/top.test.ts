import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodes, pods, serviceAccounts } from '@orrery/api';
import { writeKubeconfig } from '@orrery/client';
import { startCluster, type TestCluster, testPki } from '@orrery/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { realClients } from '../support/clients.ts';
import { type Finished, run } from '../support/cluster.ts';

let cluster: TestCluster;
let kubelet: Server;
let folder: string;
const startedMs = performance.now();

/** A quarter of a core since the test began. */
function summary(): object {
  const usageCoreNanoSeconds = Math.round((performance.now() - startedMs) * 250_000);
  const usage = { cpu: { usageCoreNanoSeconds }, memory: { workingSetBytes: 32 * 1024 * 1024 } };
  return { node: usage, pods: [{ podRef: { name: 'web', namespace: 'default' }, containers: [{ name: 'c', ...usage }] }] };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'orrery-top-'));
  const pki = await testPki();
  kubelet = createServer({ key: pki.kubelet.key, cert: pki.kubelet.cert, ca: pki.ca.cert, requestCert: true }, (request, response) => {
    response.writeHead(request.url === '/stats/summary' ? 200 : 404);
    response.end(JSON.stringify(summary()));
  });
  await new Promise<void>((resolve) => kubelet.listen(0, '127.0.0.1', resolve));
  const { port } = kubelet.address() as AddressInfo;
  cluster = await startCluster({ https: true, controllers: false, scheduler: false });
  const { client } = cluster;
  const node = await client.create(nodes, { metadata: { name: 'n1' }, spec: {} });
  const status = { allocatable: { cpu: '2', memory: '1Gi' }, addresses: [{ type: 'InternalIP', address: '127.0.0.1' }] };
  await client.updateStatus(nodes, { ...node, status: { ...status, daemonEndpoints: { kubeletEndpoint: { Port: port } } } });
  await client.create(serviceAccounts, { metadata: { namespace: 'default', name: 'default' } });
  const pod = await client.create(pods, {
    metadata: { namespace: 'default', name: 'web', labels: { app: 'web' } },
    spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'a:1' }] },
  });
  await client.updateStatus(pods, { ...pod, status: { phase: 'Running' } });
  if (cluster.kubeconfig !== undefined) await writeKubeconfig(join(folder, 'config'), cluster.kubeconfig);
});
afterAll(async () => {
  await cluster?.dispose();
  await new Promise((resolve) => kubelet.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

const kubectl = (...args: string[]): Promise<Finished> =>
  run(realClients().kubectl, ['--kubeconfig', join(folder, 'config'), ...args], { env: { HOME: folder } });

test('kubectl top shows nodes', async () => {
  const { stdout, stderr } = await kubectl('top', 'node');
  expect(stderr).toBe('');
  expect(stdout).toMatch(/^NAME +CPU\(cores\) +CPU\(%\) +MEMORY\(bytes\) +MEMORY\(%\) *\nn1 +\d+m +\d+% +32Mi +3% *\n$/);
});

test('kubectl top shows pods, by container and by label', async () => {
  expect((await kubectl('top', 'pod')).stdout).toMatch(/^NAME +CPU\(cores\) +MEMORY\(bytes\) *\nweb +\d+m +32Mi *\n$/);
  expect((await kubectl('top', 'pod', '-l', 'app=web', '--containers')).stdout).toMatch(/\nweb +c +\d+m +32Mi *\n$/);
  expect((await kubectl('top', 'pod', '-l', 'app=other')).stderr).toContain('No resources found in default namespace.');
});

test('the group is discovered and explained; it is not watched nor written', async () => {
  const listed = await kubectl('api-resources', '--api-group=metrics.k8s.io', '--no-headers');
  expect(
    listed.stdout
      .trim()
      .split('\n')
      .map((line) => line.split(/ +/).join(' ')),
  ).toEqual(['nodes metrics.k8s.io/v1beta1 false NodeMetrics', 'pods metrics.k8s.io/v1beta1 true PodMetrics']);
  expect((await kubectl('explain', 'pods', '--api-version=metrics.k8s.io/v1beta1')).stdout).toContain('KIND:       PodMetrics');
  expect((await kubectl('get', '--raw', '/openapi/v2')).code).toBe(0);
  expect((await kubectl('get', 'pods.metrics.k8s.io', '-o', 'name')).stdout).toBe('podmetrics.metrics.k8s.io/web\n');
  expect((await kubectl('delete', 'pods.metrics.k8s.io', 'web')).stderr).toContain('MethodNotAllowed');
});
