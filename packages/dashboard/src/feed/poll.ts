import { isNotFound, isStatusError, quantityMilliValue, quantityValue } from '@orrery/apimachinery';
import { anySignal, type Clock, timeoutSignal } from '@orrery/base';
import type { Transport } from '@orrery/client';
import type { Sample, Usage } from '../protocol.ts';
import type { DashboardCluster } from './cluster.ts';
import type { ClusterFeed } from './cluster-feed.ts';

/** Metrics servers measure every 15 s or more seldom; Orrery's answer is always of now. */
const POLL_MS = 3_000;
const ANSWER_MS = 10_000;

export interface PollOptions {
  readonly index: number;
  readonly cluster: DashboardCluster;
  readonly feed: ClusterFeed;
  readonly clock: Clock;
  readonly onSample: (sample: Sample) => void;
}

/** Asks a cluster for its version and its metrics again and again, until `signal` aborts: run it only while somebody looks. */
export async function poll({ index, cluster, feed, clock, onSample }: PollOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    using timeout = timeoutSignal(clock, ANSWER_MS);
    using either = anySignal(signal, timeout.signal);
    const found = await askVersion(cluster.transport, either.signal);
    const sample = found.reachable ? await askMetrics(index, cluster, clock, either.signal) : undefined;
    if (signal.aborted) return;
    if (sample === undefined) feed.note(found);
    else feed.note({ ...found, metrics: sample === 'absent' ? 'absent' : 'served' });
    if (sample !== undefined && sample !== 'absent') onSample(sample);
    await clock.sleep(POLL_MS, signal).catch(() => undefined);
  }
}

async function askVersion(transport: Transport, signal: AbortSignal): Promise<{ reachable: boolean; version?: string }> {
  try {
    const { gitVersion = '' } = (await getJson(transport, '/version', signal)) as { gitVersion?: string };
    return { reachable: true, version: gitVersion };
  } catch (err) {
    return { reachable: isStatusError(err) && err.code < 500 };
  }
}

interface Measured {
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly usage?: { readonly cpu: string; readonly memory: string };
  readonly containers?: readonly { readonly usage: { readonly cpu: string; readonly memory: string } }[];
}

/** Undefined when there is no answer this time; nodes may be forbidden where pods are not. */
async function askMetrics(
  index: number,
  { transport, namespace, selector }: DashboardCluster,
  clock: Clock,
  signal: AbortSignal,
): Promise<Sample | 'absent' | undefined> {
  const group = '/apis/metrics.k8s.io/v1beta1';
  const query = selector === undefined ? '' : `?labelSelector=${encodeURIComponent(selector)}`;
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  const [nodes, pods] = await Promise.allSettled([
    getJson(transport, `${group}/nodes`, signal),
    getJson(transport, `${group}${scope}/pods${query}`, signal),
  ]);
  if (nodes.status === 'rejected' && pods.status === 'rejected') return isNotFound(pods.reason) ? 'absent' : undefined;
  const usages = (result: PromiseSettledResult<unknown>): Record<string, Usage> =>
    result.status === 'rejected' ? {} : usageByKey((result.value as { readonly items?: readonly Measured[] }).items ?? []);
  return { type: 'sample', cluster: index, atMs: clock.now(), nodes: usages(nodes), pods: usages(pods) };
}

/** CPU in millicores with a fraction: idle pods use less than one. */
function usageByKey(items: readonly Measured[]): Record<string, Usage> {
  return Object.fromEntries(
    items.map(({ metadata: { name, namespace }, usage, containers = [] }) => {
      const all = usage === undefined ? containers.map((container) => container.usage) : [usage];
      const cpu = all.reduce((sum, one) => sum + milli(one.cpu), 0);
      const memory = all.reduce((sum, one) => sum + quantityValue(one.memory), 0);
      return [namespace === undefined ? name : `${namespace}/${name}`, [cpu, memory] as const];
    }),
  );
}

/** `quantityMilliValue` rounds up to whole millicores. */
function milli(cpu: string): number {
  const nano = /^(\d+)n$/.exec(cpu)?.[1];
  const micro = /^(\d+)u$/.exec(cpu)?.[1];
  if (nano !== undefined) return Math.round(Number(nano) / 1e4) / 100;
  return micro === undefined ? quantityMilliValue(cpu) : Number(micro) / 1e3;
}

async function getJson(transport: Transport, path: string, signal: AbortSignal): Promise<unknown> {
  const { body } = await transport.raw({ path, headers: { accept: 'application/json' } }, signal);
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString());
}
