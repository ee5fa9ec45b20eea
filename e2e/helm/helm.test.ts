import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';

// The chart that `helm create` makes, unmodified: nginx on port 80 with HTTP probes. Its image stands for a host command.
const imageMap = `images:
  "nginx:*":
    entrypoint: ["node", "-e"]
    command: ["require('node:http').createServer((q, s) => s.end('hello from ' + process.env.HOSTNAME)).listen(80, process.env.POD_IP)"]
  "busybox*":
    entrypoint: ["/bin/sh", "-c"]
    command: ["true"]
`;

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster({ imageMap });
  await cluster.helm(['create', 'shop']);
});
afterAll(() => cluster.dispose());

const release = ['--wait', '--timeout', '60s'];
const replicas = async (): Promise<string> =>
  (await cluster.kubectl(['get', 'deploy', 'web-shop', '-o', 'jsonpath={.spec.replicas}/{.status.readyReplicas}'])).trim();

describe('helm 4 takes the cluster for Kubernetes', () => {
  test('install: the pods become ready by their own probes', { timeout: 90_000 }, async () => {
    const out = await cluster.helm(['install', 'web', './shop', ...release], { timeoutMs: 80_000 });
    expect(out).toContain('STATUS: deployed');
    expect(await replicas()).toBe('1/1');
  });

  test('the pod serves', async () => {
    const name = (
      await cluster.kubectl(['get', 'pods', '-l', 'app.kubernetes.io/name=shop', '-o', 'jsonpath={.items[0].metadata.name}'])
    ).trim();
    expect(await cluster.kubectl(['get', '--raw', `/api/v1/namespaces/default/pods/${name}:80/proxy/`])).toMatch(/^hello from /);
  });

  test('upgrade: a new revision, rolled out', { timeout: 90_000 }, async () => {
    const out = await cluster.helm(['upgrade', 'web', './shop', '--set', 'replicaCount=2', '--set', 'image.tag=1.27', ...release], {
      timeoutMs: 80_000,
    });
    expect(out).toContain('REVISION: 2');
    expect(await replicas()).toBe('2/2');
    expect(await cluster.kubectl(['get', 'deploy', 'web-shop', '-o', 'jsonpath={.spec.template.spec.containers[0].image}'])).toBe(
      'nginx:1.27',
    );
  });

  test('history and status', async () => {
    expect(JSON.parse(await cluster.helm(['history', 'web', '-o', 'json']))).toMatchObject([
      { revision: 1, status: 'superseded' },
      { revision: 2, status: 'deployed' },
    ]);
    expect(await cluster.helm(['status', 'web'])).toContain('STATUS: deployed');
    expect(await cluster.helm(['list'])).toMatch(/web\s+default\s+2/);
  });

  test('rollback: the first revision again', { timeout: 90_000 }, async () => {
    await cluster.helm(['rollback', 'web', '1', ...release], { timeoutMs: 80_000 });
    expect(await replicas()).toBe('1/1');
  });

  test('uninstall leaves nothing', { timeout: 60_000 }, async () => {
    await cluster.helm(['uninstall', 'web', '--wait', '--timeout', '50s'], { timeoutMs: 55_000 });
    await eventually(async () => {
      const left = await cluster.kubectl(['get', 'deploy,rs,pods,svc,sa,cm,secret', '-l', 'app.kubernetes.io/instance=web', '-o', 'name']);
      expect(left.trim()).toBe('');
    });
    expect(await cluster.kubectl(['get', 'secret', '-l', 'owner=helm', '-o', 'name'])).toBe('');
  });
});
