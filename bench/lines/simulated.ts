import { namespaces, nodes, pods, serviceAccounts } from '@orrery/api';
import type { Node, Pod } from '@orrery/api/core/v1';
import type { KubeObject, Resource } from '@orrery/apimachinery';
import { type Client, isPodReady } from '@orrery/client';
import { startCluster } from '@orrery/testkit';
import type { Line } from '../line.ts';
import { newBasicPod } from '../support/objects.ts';
import { NAMESPACE } from '../support/server.ts';
import { inParallel, nowMs } from '../support/timing.ts';

const NODES = 5000;
const PODS = 10_000;

/** Resolves when `count` objects pass `test` at once, by a watch. */
async function until<T extends KubeObject>(
  client: Client,
  resource: Resource<T>,
  count: number,
  signal: AbortSignal,
  test: (object: T) => boolean,
): Promise<void> {
  const passing = new Set<string>();
  for await (const events of client.watch(resource, { signal })) {
    for (const { type, object } of events) {
      const { uid } = object.metadata;
      if (type !== 'DELETED' && test(object)) passing.add(uid);
      else passing.delete(uid);
    }
    if (passing.size >= count) return;
  }
  throw new Error(`the watch ended at ${passing.size} of ${count}`);
}

const isNodeReady = ({ status }: Node): boolean =>
  status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true;

export const simulatedLine: Line = {
  name: 'simulated',
  what: `${NODES.toLocaleString('en')} simulated nodes Ready, ${PODS.toLocaleString('en')} pods Running`,
  method: 'whole cluster in one process, in memory: API server, controllers, scheduler, hollow nodes; pods created 64 at once',
  figures: [
    { name: 'nodes Ready', unit: 's', reach: { atMost: 20 } },
    { name: 'pods Running', unit: 's', reach: { atMost: 20 } },
    { name: 'memory at the end', unit: 'MB' },
  ],
  runs: { full: 1, quick: 1 },
  timeoutMs: 180_000,
  async measure({ signal }) {
    await using cluster = await startCluster({ freeze: false });
    const { client } = cluster;
    const startMs = nowMs();
    const names = Array.from({ length: NODES }, (_, index) => `node-${index}`);
    await Promise.all([cluster.addNodes(names), until<Node>(client, nodes, NODES, signal, isNodeReady)]);
    const readyMs = nowMs();
    await client.create(namespaces, { metadata: { name: NAMESPACE }, spec: {} });
    // The controller that makes it may come later than the first pod.
    await client.create(serviceAccounts, { metadata: { namespace: NAMESPACE, name: 'default' } }).catch(() => undefined);
    await Promise.all([
      until<Pod>(client, pods, PODS, signal, (pod) => pod.status?.phase === 'Running' && isPodReady(pod)),
      inParallel(PODS, 64, (index) => client.create<Pod>(pods, newBasicPod(NAMESPACE, `pod-${index}`))),
    ]);
    const runningMs = nowMs();
    return {
      'nodes Ready': [(readyMs - startMs) / 1000],
      'pods Running': [(runningMs - readyMs) / 1000],
      'memory at the end': [process.memoryUsage.rss() / 1e6],
    };
  },
};
