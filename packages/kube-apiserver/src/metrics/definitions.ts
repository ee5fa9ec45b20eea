import { nodes, pods } from '@orrery/api';
import type { Node, Pod } from '@orrery/api/core/v1';
import { formatTime, type KubeObject, type ObjectMeta, quantityFromNano, quantityFromValue } from '@orrery/apimachinery';
import type { Column, ResourceDefinition } from '@orrery/apiserver';
import type { Clock } from '@orrery/base';
import type { Client } from '@orrery/client';
import { ageColumn, nameColumn } from '../table/columns.ts';
import type { KubeletSummaries, SamplePair } from './kubelet-summaries.ts';
import { type PodStats, type Rate, rateOf } from './summary.ts';

interface ResourceUsage {
  readonly cpu: string;
  readonly memory: string;
}

interface Measured extends KubeObject {
  readonly timestamp: string;
  /** As Go prints durations: `1.002s`. */
  readonly window: string;
}

export interface NodeMetrics extends Measured {
  readonly usage: ResourceUsage;
}

export interface PodMetrics extends Measured {
  readonly containers: readonly { readonly name: string; readonly usage: ResourceUsage }[];
}

export interface MetricsContext {
  readonly client: Pick<Client, 'list' | 'get'>;
  readonly summaries: KubeletSummaries;
  readonly clock: Clock;
}

const group = { group: 'metrics.k8s.io', version: 'v1beta1' } as const;
const apiVersion = 'metrics.k8s.io/v1beta1';
const typeName = (kind: string): string => `io.k8s.metrics.pkg.apis.metrics.v1beta1.${kind}`;
const verbs = ['get', 'list'];
const windowColumn: Column<Measured> = {
  name: 'Window',
  description: 'The time over which the use was measured.',
  cell: ({ window }) => window,
};

/** The resource metrics API, from kubelets' summaries. Source: KEP-117 and metrics-server. */
export function newMetricsDefinitions(context: MetricsContext): readonly ResourceDefinition[] {
  const nodeMetrics: ResourceDefinition<NodeMetrics> = {
    ...group,
    kind: 'NodeMetrics',
    resource: 'nodes',
    singular: '',
    namespaced: false,
    typeName: typeName('NodeMetrics'),
    storagePrefix: 'metrics.k8s.io/nodes',
    verbs,
    strategy: {},
    columns: [nameColumn, ...usageColumns<NodeMetrics>(({ usage }) => [usage]), windowColumn, ageColumn],
    compute: ({ name }) => measureNodes(context, name),
  };
  const podMetrics: ResourceDefinition<PodMetrics> = {
    ...group,
    kind: 'PodMetrics',
    resource: 'pods',
    singular: '',
    namespaced: true,
    typeName: typeName('PodMetrics'),
    storagePrefix: 'metrics.k8s.io/pods',
    verbs,
    strategy: {},
    columns: [nameColumn, ...usageColumns<PodMetrics>(({ containers }) => containers.map(({ usage }) => usage)), windowColumn, ageColumn],
    compute: ({ namespace, name }) => measurePods(context, namespace, name),
  };
  return [nodeMetrics, podMetrics] as readonly unknown[] as readonly ResourceDefinition[];
}

function usageColumns<T extends KubeObject>(usages: (object: T) => readonly ResourceUsage[]): Column<T>[] {
  const joined = (object: T, pick: (usage: ResourceUsage) => string): string => usages(object).map(pick).join(',');
  return [
    { name: 'CPU', description: 'Use of processors, in cores.', cell: (object) => joined(object, ({ cpu }) => cpu) },
    {
      name: 'Memory',
      description: 'Use of memory that cannot be freed at once, in bytes.',
      cell: (object) => joined(object, ({ memory }) => memory),
    },
  ];
}

async function measureNodes({ client, summaries, clock }: MetricsContext, name: string | undefined): Promise<readonly NodeMetrics[]> {
  summaries.prune();
  const { items } = await client.list(nodes, name === undefined ? {} : { fieldSelector: `metadata.name=${name}` });
  const measured = await Promise.all(
    items.map(async (node: Node): Promise<NodeMetrics | undefined> => {
      const pair = await summaries.pairOf(node.metadata.name);
      const rate = pair && rateOf(pair.before.summary.node, pair.after.summary.node, windowMsOf(pair));
      return pair && rate && { ...shared('NodeMetrics', node, pair, clock), usage: usageOf(rate) };
    }),
  );
  return measured.filter((metrics) => metrics !== undefined);
}

async function measurePods(
  { client, summaries, clock }: MetricsContext,
  namespace: string | undefined,
  name: string | undefined,
): Promise<readonly PodMetrics[]> {
  summaries.prune();
  const { items } = await client.list(pods, { namespace, ...(name === undefined ? {} : { fieldSelector: `metadata.name=${name}` }) });
  const running = items.filter(({ spec, status }) => spec.nodeName !== undefined && spec.nodeName !== '' && status?.phase === 'Running');
  const names = [...new Set(running.map(({ spec }) => spec.nodeName ?? ''))];
  const byNode = new Map(await Promise.all(names.map(async (node) => [node, indexed(await summaries.pairOf(node))] as const)));
  return running.flatMap((pod) => {
    const node = byNode.get(pod.spec.nodeName ?? '');
    return (node && podMetricsOf(pod, node, clock)) ?? [];
  });
}

interface IndexedPair {
  readonly pair: SamplePair;
  readonly before: ReadonlyMap<string, PodStats>;
  readonly after: ReadonlyMap<string, PodStats>;
}

const keyOf = ({ namespace, name }: PodStats['podRef']): string => `${namespace}/${name}`;
const byPod = (stats: readonly PodStats[] = []): ReadonlyMap<string, PodStats> =>
  new Map(stats.map((entry) => [keyOf(entry.podRef), entry]));

function indexed(pair: SamplePair | undefined): IndexedPair | undefined {
  return pair && { pair, before: byPod(pair.before.summary.pods), after: byPod(pair.after.summary.pods) };
}

/** Undefined for a pod of which nothing is known yet: it was started after the first sample. */
function podMetricsOf(pod: Pod, { pair, before, after }: IndexedPair, clock: Clock): PodMetrics | undefined {
  const key = keyOf({ namespace: pod.metadata.namespace ?? '', name: pod.metadata.name });
  const earlier = before.get(key)?.containers ?? [];
  const containers = (after.get(key)?.containers ?? []).flatMap((container) => {
    const rate = rateOf(
      earlier.find(({ name }) => name === container.name),
      container,
      windowMsOf(pair),
    );
    return rate === undefined ? [] : [{ name: container.name, usage: usageOf(rate) }];
  });
  return containers.length === 0 ? undefined : { ...shared('PodMetrics', pod, pair, clock), containers };
}

const windowMsOf = ({ before, after }: SamplePair): number => after.atMs - before.atMs;

/** What both kinds have. Metrics have no uid and no version: they are not kept. */
function shared(kind: string, { metadata }: KubeObject, pair: SamplePair, clock: Clock): Measured {
  const { name, namespace, labels } = metadata;
  const nowMs = clock.now();
  const own = { name, ...(namespace === undefined ? {} : { namespace }), creationTimestamp: formatTime(nowMs), ...(labels && { labels }) };
  const timestamp = formatTime(nowMs - (clock.monotonicMs() - pair.after.atMs));
  return { kind, apiVersion, metadata: own as ObjectMeta, timestamp, window: `${Number((windowMsOf(pair) / 1000).toFixed(3))}s` };
}

const usageOf = ({ cpuNanoCores, memoryBytes }: Rate): ResourceUsage => ({
  cpu: quantityFromNano(BigInt(cpuNanoCores), 'DecimalSI').text,
  memory: quantityFromValue(memoryBytes, 'BinarySI').text,
});
