import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { type ImageRegistry, startImageRegistry } from '../support/image-registry.ts';

// The chart that `helm create` makes, unmodified, in real containers: its own image reference, pulled from the mirror of docker.io.
const chartTag = '1.16.0'; // The chart's appVersion.
const newTag = '1.27';

let registry: ImageRegistry;
let cluster: TestCluster;
let before: string[];

beforeAll(async () => {
  registry = await startImageRegistry([chartTag, newTag]);
  cluster = await startTestCluster({ registries: registry.registries, up: ['--runtime=oci'] });
  await cluster.helm(['create', 'shop']);
  await cluster.kubectl(['run', 'client', '--image=busybox', '--', 'sleep', '100000']);
  await cluster.kubectl(['wait', 'pod/client', '--for=condition=Ready', '--timeout=60s']);
  before = await everything();
}, 120_000);
afterAll(async () => {
  await cluster?.dispose();
  await registry?.close();
}, 120_000);

const words = (text: string): string[] => text.trim().split(/\s+/).filter(Boolean);
const release = ['--wait', '--timeout', '80s'];
const helmRelease = (...args: string[]): Promise<string> => cluster.helm([...args, ...release], { timeoutMs: 90_000 });
const replicas = (): Promise<string> =>
  cluster.kubectl(['get', 'deploy', 'web-shop', '-o', 'jsonpath={.spec.replicas}/{.status.readyReplicas}/{.status.updatedReplicas}']);
const inClient = (...command: string[]): Promise<string> => cluster.kubectl(['exec', 'client', '--', ...command], { timeoutMs: 20_000 });

/** Every object of every kind that a user can list, but events, which last an hour, and leases, which components renew. */
async function everything(): Promise<string[]> {
  const kinds = words(await cluster.kubectl(['api-resources', '--verbs=list', '-o', 'name']));
  const durable = kinds.filter((kind) => !/^(events|leases\.|pods\.metrics|nodes\.metrics)/.test(kind));
  return words(await cluster.kubectl(['get', durable.join(), '-A', '--ignore-not-found', '-o', 'name', '--show-kind'])).sort();
}

describe('helm 4 on containers', () => {
  test('install: the pods become ready by their own probes', { timeout: 100_000 }, async () => {
    expect(await helmRelease('install', 'web', './shop')).toContain('STATUS: deployed');
    expect(await replicas()).toBe('1/1/1');
    const image = '{.items[0].spec.containers[0].image} {.items[0].status.containerStatuses[0].imageID}';
    const shown = await cluster.kubectl(['get', 'pods', '-l', 'app.kubernetes.io/name=shop', '-o', `jsonpath=${image}`]);
    expect(shown).toMatch(/^nginx:1\.16\.0 .*nginx@sha256:[0-9a-f]{64}$/);
  });

  test('by the name of its Service, from another pod', async () => {
    for (const name of ['web-shop', 'web-shop.default', 'web-shop.default.svc.cluster.local']) {
      expect(await eventually(() => inClient('wget', '-qO-', `http://${name}/`))).toBe(`nginx ${chartTag}\n`);
    }
  });

  test('the chart tests itself', { timeout: 100_000 }, async () => {
    expect(await cluster.helm(['test', 'web', '--timeout', '80s'], { timeoutMs: 90_000 })).toMatch(/Phase: +Succeeded/);
  });

  test('by port-forward', async () => {
    const forward = cluster.startKubectl(['port-forward', 'service/web-shop', ':80']);
    try {
      let shown = '';
      forward.stdout?.on('data', (chunk: Buffer) => {
        shown += chunk.toString();
      });
      const port = await eventually(() => {
        const found = /127\.0\.0\.1:(\d+)/.exec(shown)?.[1];
        if (found === undefined) throw new Error(`no port in ${JSON.stringify(shown)}`);
        return found;
      });
      expect(await page(`http://127.0.0.1:${port}/`)).toBe(`nginx ${chartTag}\n`);
    } finally {
      forward.kill();
    }
  });

  test('upgrade to two of another image, with a NodePort', { timeout: 100_000 }, async () => {
    const values = ['replicaCount=2', `image.tag=${newTag}`, 'service.type=NodePort'].flatMap((value) => ['--set', value]);
    expect(await helmRelease('upgrade', 'web', './shop', ...values)).toContain('REVISION: 2');
    expect(await replicas()).toBe('2/2/2');
    const port = await cluster.kubectl(['get', 'service', 'web-shop', '-o', 'jsonpath={.spec.ports[0].nodePort}']);
    const address = await cluster.kubectl(['get', 'nodes', '-o', 'jsonpath={.items[0].status.addresses[?(@.type=="InternalIP")].address}']);
    await eventually(async () => expect(await page(`http://${address}:${port}/`)).toBe(`nginx ${newTag}\n`));
    expect(await inClient('wget', '-qO-', `http://${address}:${port}/`)).toBe(`nginx ${newTag}\n`);
    await eventually(async () => expect(await inClient('wget', '-qO-', 'http://web-shop/')).toBe(`nginx ${newTag}\n`));
  });

  test('rollback: the first revision again, its port closed', { timeout: 100_000 }, async () => {
    const where = '{.items[0].status.addresses[?(@.type=="InternalIP")].address}';
    const address = await cluster.kubectl(['get', 'nodes', '-o', `jsonpath=${where}`]);
    const port = await cluster.kubectl(['get', 'service', 'web-shop', '-o', 'jsonpath={.spec.ports[0].nodePort}']);
    await helmRelease('rollback', 'web', '1');
    expect(await replicas()).toBe('1/1/1');
    await eventually(async () => expect(await inClient('wget', '-qO-', 'http://web-shop/')).toBe(`nginx ${chartTag}\n`));
    expect(await cluster.kubectl(['get', 'service', 'web-shop', '-o', 'jsonpath={.spec.type}'])).toBe('ClusterIP');
    await eventually(() => refused(address, Number(port)));
  });

  test('uninstall leaves nothing, of any kind', { timeout: 100_000 }, async () => {
    await cluster.helm(['uninstall', 'web', '--wait', '--timeout', '80s'], { timeoutMs: 90_000 });
    await cluster.kubectl(['delete', 'pod', 'web-shop-test-connection', '--ignore-not-found']); // Helm leaves a test's pod, everywhere.
    await eventually(async () => expect(await everything()).toEqual(before));
  });
});

async function page(url: string): Promise<string> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(5_000), headers: { connection: 'close' } });
  expect(answer.status).toBe(200);
  return await answer.text();
}

/** Throws while somebody listens there. */
function refused(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: 3_000 });
    const open = (): void => {
      socket.destroy();
      reject(new Error(`${host}:${port} is open`));
    };
    socket
      .once('connect', open)
      .once('timeout', resolve)
      .once('error', () => resolve());
  });
}
