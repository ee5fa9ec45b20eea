import { deployments, pods, replicaSets } from '@orrery/api';
import type { Deployment } from '@orrery/api/apps/v1';
import { realClock } from '@orrery/base';
import { isPodActive, isPodReady, waitFor } from '@orrery/client';
import { expect, test } from 'vitest';
import { startCluster, type TestCluster } from './test-cluster.ts';

// Real controllers and a real scheduler over a real API server; only the nodes are hollow.
const key = { namespace: 'default', name: 'web' };

const podSpec = (image: string) => ({ metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image }] } });

async function create({ client }: TestCluster, spec: Partial<Deployment['spec']> = {}): Promise<void> {
  await client.create(deployments, {
    metadata: key,
    spec: { replicas: 5, selector: { matchLabels: { app: 'web' } }, template: podSpec('i:1'), ...spec },
  });
}

const complete = (deployment: Deployment | undefined): boolean => {
  const { spec, status, metadata } = deployment ?? {};
  const wanted = spec?.replicas;
  return (
    status?.observedGeneration === metadata?.generation &&
    status?.updatedReplicas === wanted &&
    status?.availableReplicas === wanted &&
    status?.replicas === wanted
  );
};

const rolledOut = ({ client }: TestCluster): Promise<Deployment | undefined> =>
  waitFor(client, deployments, key, complete, { clock: realClock, timeoutMs: 20_000 });

test('a rollout keeps enough pods available, and makes no more than its surge', async () => {
  await using cluster = await startCluster({ nodes: 3 });
  const { client } = cluster;
  const seen = { most: 0, fewest: Number.POSITIVE_INFINITY };
  await create(cluster, { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } } });
  await rolledOut(cluster);
  const podInformer = cluster.cluster.informers.informer(pods);
  const setInformer = cluster.cluster.informers.informer(replicaSets);
  // Upstream's bounds: what replica sets ask for, and what is ready.
  const count = (): void => {
    seen.most = Math.max(
      seen.most,
      setInformer.lister.list().reduce((sum, { spec }) => sum + (spec.replicas ?? 0), 0),
    );
    seen.fewest = Math.min(
      seen.fewest,
      podInformer.lister.byNamespace('default').filter((pod) => isPodActive(pod) && isPodReady(pod)).length,
    );
  };
  setInformer.addHandler({ onAdd: count, onUpdate: count });
  podInformer.addHandler({ onAdd: count, onUpdate: count, onDelete: count });
  await client.patch(deployments, key, 'strategic', { spec: { template: podSpec('i:2') } });
  await rolledOut(cluster);
  const running = (await client.list(pods, { namespace: 'default' })).items.filter(isPodActive);
  expect(running.map(({ spec }) => spec.containers[0]?.image)).toEqual(Array.from({ length: 5 }, () => 'i:2'));
  expect(seen.most).toBeLessThanOrEqual(6);
  expect(seen.fewest).toBeGreaterThanOrEqual(4);
});

test('a change in the middle of a rollout is rolled over to', async () => {
  await using cluster = await startCluster({ nodes: 3 });
  const { client } = cluster;
  await create(cluster, { replicas: 10 });
  for (const image of ['i:2', 'i:3', 'i:4']) await client.patch(deployments, key, 'strategic', { spec: { template: podSpec(image) } });
  await rolledOut(cluster);
  const running = (await client.list(pods, { namespace: 'default' })).items.filter(isPodActive);
  expect(new Set(running.map(({ spec }) => spec.containers[0]?.image))).toEqual(new Set(['i:4']));
});

test('old replica sets are kept as history, up to the limit', async () => {
  await using cluster = await startCluster({ nodes: 1 });
  const { client } = cluster;
  await create(cluster, { replicas: 1, revisionHistoryLimit: 1 });
  await rolledOut(cluster);
  for (const image of ['i:2', 'i:3', 'i:4']) {
    await client.patch(deployments, key, 'strategic', { spec: { template: podSpec(image) } });
    await rolledOut(cluster);
  }
  await expect.poll(async () => (await client.list(replicaSets)).items.length, { timeout: 15_000 }).toBe(2);
  const revisions = (await client.list(replicaSets)).items
    .map(({ metadata }) => metadata.annotations?.['deployment.kubernetes.io/revision'])
    .sort();
  expect(revisions).toEqual(['3', '4']);
});

test('recreate: no pod of the new template before the last of the old one is gone', async () => {
  await using cluster = await startCluster({ nodes: 1 });
  const { client } = cluster;
  await create(cluster, { replicas: 3, strategy: { type: 'Recreate' } });
  await rolledOut(cluster);
  const mixed: number[] = [];
  const informer = cluster.cluster.informers.informer(pods);
  informer.addHandler({
    onAdd: () => {
      const images = new Set(
        informer.lister
          .byNamespace('default')
          .filter(({ status }) => status.phase !== 'Succeeded' && status.phase !== 'Failed')
          .map(({ spec }) => spec.containers[0]?.image),
      );
      mixed.push(images.size);
    },
  });
  mixed.length = 0;
  await client.patch(deployments, key, 'strategic', { spec: { template: podSpec('i:2') } });
  await rolledOut(cluster);
  expect(Math.max(...mixed)).toBe(1);
});

test('a paused deployment does not roll out, but scales', async () => {
  await using cluster = await startCluster({ nodes: 1 });
  const { client } = cluster;
  await create(cluster, { replicas: 2 });
  await rolledOut(cluster);
  await client.patch(deployments, key, 'merge', { spec: { paused: true, replicas: 3, template: podSpec('i:2') } });
  await waitFor(client, deployments, key, (deployment) => deployment?.status.availableReplicas === 3, {
    clock: realClock,
    timeoutMs: 20_000,
  });
  expect((await client.list(replicaSets)).items).toHaveLength(1);
  await client.patch(deployments, key, 'merge', { spec: { paused: false } });
  const done = await rolledOut(cluster);
  expect(done?.status.updatedReplicas).toBe(3);
});
