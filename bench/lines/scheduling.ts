import { namespaces, nodes, pods, serviceAccounts } from '@orrery/api';
import type { Node, Pod } from '@orrery/api/core/v1';
import { realClock } from '@orrery/base';
import type { Client } from '@orrery/client';
import { newMemoryStore } from '@orrery/storage';
import { startCluster } from '@orrery/testkit';
import type { Line } from '../line.ts';
import { newBasicPod, newReadyNode } from '../support/objects.ts';
import { NAMESPACE } from '../support/server.ts';
import { inParallel, nowMs } from '../support/timing.ts';

const NODES = 5000;
const PODS = 10_000;

/** Resolves when `count` pods have a node, by a watch. */
async function untilBound(client: Client, count: number, signal: AbortSignal): Promise<void> {
  const bound = new Set<string>();
  for await (const events of client.watch<Pod>(pods, { namespace: NAMESPACE, signal })) {
    for (const { type, object } of events) {
      if (type !== 'DELETED' && object.spec.nodeName !== undefined && object.spec.nodeName !== '') bound.add(object.metadata.name);
    }
    if (bound.size >= count) return;
  }
  throw new Error(`the watch ended when ${bound.size} of ${count} pods had a node`);
}

async function populate(client: Client): Promise<void> {
  await client.create(namespaces, { metadata: { name: NAMESPACE }, spec: {} });
  await client.create(serviceAccounts, { metadata: { namespace: NAMESPACE, name: 'default' } });
  await inParallel(NODES, 64, (index) => client.create<Node>(nodes, newReadyNode(`node-${index}`)));
}

const createPods = (client: Client): Promise<void> =>
  inParallel(PODS, 64, (index) => client.create<Pod>(pods, newBasicPod(NAMESPACE, `pod-${index}`)));

/** The scheduler starts when everything is there. */
async function waiting(signal: AbortSignal): Promise<number> {
  const store = newMemoryStore({ clock: realClock });
  try {
    {
      await using cluster = await startCluster({ store, controllers: false, scheduler: false, freeze: false });
      await populate(cluster.client);
      await createPods(cluster.client);
    }
    const startMs = nowMs();
    await using cluster = await startCluster({ store, controllers: false, freeze: false });
    await untilBound(cluster.client, PODS, signal);
    return PODS / ((nowMs() - startMs) / 1000);
  } finally {
    await store.close();
  }
}

/** Pods are created, in the same process, while the scheduler works: upstream's way. */
async function arriving(signal: AbortSignal): Promise<number> {
  await using cluster = await startCluster({ controllers: false, freeze: false });
  await populate(cluster.client);
  const startMs = nowMs();
  await Promise.all([untilBound(cluster.client, PODS, signal), createPods(cluster.client)]);
  return PODS / ((nowMs() - startMs) / 1000);
}

export const schedulingLine: Line = {
  name: 'scheduling',
  what: `scheduling of ${PODS.toLocaleString('en')} basic pods on ${NODES.toLocaleString('en')} nodes`,
  method: 'whole API server in memory and scheduler in one process; until a watch has shown every pod bound',
  figures: [
    { name: 'pods wait, from the start of the cluster', unit: 'pods/s', reach: { atLeast: 4000 } },
    { name: 'pods arrive, their creation included', unit: 'pods/s' },
  ],
  runs: { full: 3, quick: 1 },
  timeoutMs: 180_000,
  async measure({ signal }) {
    return {
      'pods wait, from the start of the cluster': [await waiting(signal)],
      'pods arrive, their creation included': [await arriving(signal)],
    };
  },
};
