import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { configMaps, deployments, nodes, pods } from '@orrery/api';
import type { ConfigMap, Node, Pod } from '@orrery/api/core/v1';
import { newVirtualClock } from '@orrery/base';
import { newClient } from '@orrery/client';
import { describe, expect, test } from 'vitest';
import { startCluster } from './index.ts';

const newConfigMap = (name: string) => ({ metadata: { name, namespace: 'default' }, data: { name } }) as unknown as ConfigMap;

async function eventually<T>(check: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await check();
    } catch (error) {
      if (attempt === 400) throw error;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
}

describe('a cluster in the test process', () => {
  test('many side by side know nothing of each other', async () => {
    const clusters = await Promise.all(Array.from({ length: 8 }, () => startCluster()));
    try {
      await Promise.all(clusters.map(({ client }, index) => client.create(configMaps, newConfigMap(`own-${index}`))));
      for (const [index, { client }] of clusters.entries()) {
        const { items } = await client.list<ConfigMap>(configMaps, { namespace: 'default' });
        expect(items.map(({ metadata }) => metadata.name).filter((name) => name.startsWith('own-'))).toEqual([`own-${index}`]);
      }
    } finally {
      await Promise.all(clusters.map((cluster) => cluster.dispose()));
    }
  });

  test('a deployment of 20 runs on three hollow nodes', async () => {
    await using cluster = await startCluster({ nodes: 3 });
    const { client } = cluster;
    const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'any' }] } };
    const spec = { replicas: 20, selector: { matchLabels: { app: 'a' } }, template };
    await client.create(deployments, { metadata: { name: 'web', namespace: 'default' }, spec } as never);
    await eventually(async () => {
      const { items } = await client.list<Pod>(pods, { namespace: 'default' });
      expect(items.filter(({ status }) => status.phase === 'Running')).toHaveLength(20);
      expect(new Set(items.map((pod) => pod.spec.nodeName))).toEqual(new Set(['node-0', 'node-1', 'node-2']));
    });
  });

  test('over HTTPS a client sees what one in the process wrote', async () => {
    await using cluster = await startCluster({ https: true });
    await cluster.client.create(configMaps, newConfigMap('seen'));
    const client = newClient(await cluster.connect());
    expect((await client.get<ConfigMap>(configMaps, { namespace: 'default', name: 'seen' })).data).toEqual({ name: 'seen' });
    expect(cluster.kubeconfig?.clusters[0]?.cluster.server).toBe(cluster.url);
  });

  test('time that is virtual stamps objects, and passes when told', async () => {
    const clock = newVirtualClock({ startMs: Date.UTC(2030, 0, 1) });
    await using cluster = await startCluster({ clock, controllers: false, scheduler: false });
    const first = await cluster.client.create(configMaps, newConfigMap('first'));
    await clock.advance(60 * 60 * 1000);
    const second = await cluster.client.create(configMaps, newConfigMap('second'));
    expect([first, second].map(({ metadata }) => metadata.creationTimestamp)).toEqual(['2030-01-01T00:00:00Z', '2030-01-01T01:00:00Z']);
  });

  test('one seed gives the same names', async () => {
    const uidOf = async (): Promise<string> => {
      await using cluster = await startCluster({ seed: 7, controllers: false, scheduler: false });
      return (await cluster.client.create(configMaps, newConfigMap('same'))).metadata.uid;
    };
    expect(await uidOf()).toBe(await uidOf());
  });

  test('nodes may be added later', async () => {
    await using cluster = await startCluster();
    await cluster.addNodes(['late']);
    expect((await cluster.client.list<Node>(nodes)).items.map(({ metadata }) => metadata.name)).toEqual(['late']);
  });

  test('what a client hands out is frozen', async () => {
    await using cluster = await startCluster();
    const made = await cluster.client.create(configMaps, newConfigMap('frozen'));
    expect(() => Object.assign(made.metadata, { name: 'other' })).toThrow(TypeError);
  });

  test('after disposal nothing holds the process: no timer, socket or server', { timeout: 30_000 }, async () => {
    const index = fileURLToPath(new URL('./index.ts', import.meta.url));
    const script = `
      import { startCluster } from ${JSON.stringify(index)};
      for (const options of [{}, { https: true, nodes: 2 }]) {
        const cluster = await startCluster(options);
        if (options.https) await cluster.connect();
        await cluster.dispose();
        await cluster.dispose();
      }
      console.log('disposed');
    `;
    const args = ['--conditions=source', '--import', 'tsx', '--input-type=module', '-e', script];
    // Ends by itself, or the time-out kills it and this rejects.
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, {
      timeout: 20_000,
      cwd: fileURLToPath(new URL('../../..', import.meta.url)),
    });
    expect([stdout, stderr.replace(/^npm warn.*\n/gm, '')]).toEqual(['disposed\n', '']);
  });
});
