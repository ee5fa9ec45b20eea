import type { Pod } from '@orrery/api/core/v1';
import { realClock, systemRandom } from '@orrery/base';
import { newInformerFactory } from '@orrery/client';
import { newScheduler } from './scheduler.ts';
import { newScriptedCluster, type PodFields, testNode, testPod } from './testing/scripted-cluster.ts';

export interface BenchResult {
  readonly pods: number;
  readonly seconds: number;
  readonly podsPerSecond: number;
}

export interface BenchOptions {
  /** @default 5000 */
  readonly nodes?: number;
  /** Pods on nodes before the measured ones come. @default 1000 */
  readonly existing?: number;
  /** @default 4000 */
  readonly pods?: number;
}

const podLabels = { color: 'blue' };
const selector = { matchLabels: podLabels };

/** Pods with nothing but requests. */
export const benchBasic = (options: BenchOptions = {}): Promise<BenchResult> => measure(options, {});

/** Pods that must be in the zone of their own kind; all nodes are in one zone. */
export const benchAffinity = (options: BenchOptions = {}): Promise<BenchResult> =>
  measure(options, {
    labels: podLabels,
    spec: {
      affinity: {
        podAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'topology.kubernetes.io/zone', labelSelector: selector }],
        },
      },
    },
  });

/** Pods that must not share a node with their own kind. */
export const benchAntiAffinity = (options: BenchOptions = {}): Promise<BenchResult> =>
  measure(
    { pods: 2000, ...options },
    {
      labels: podLabels,
      spec: {
        affinity: {
          podAntiAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname', labelSelector: selector }],
          },
        },
      },
    },
  );

/** Pods that must be spread evenly over ten zones. */
export const benchSpread = (options: BenchOptions = {}): Promise<BenchResult> =>
  measure(options, {
    labels: podLabels,
    spec: {
      topologySpreadConstraints: [{ topologyKey: 'zone', maxSkew: 5, whenUnsatisfiable: 'DoNotSchedule', labelSelector: selector }],
    },
  });

/** From the first pod created to the last one bound, against an API that answers at once. */
async function measure({ nodes = 5000, existing = 1000, pods = 4000 }: BenchOptions, fields: PodFields): Promise<BenchResult> {
  const cluster = newScriptedCluster();
  for (let at = 0; at < nodes; at += 1) {
    const labels = { 'topology.kubernetes.io/zone': 'zone1', zone: `z${at % 10}` };
    cluster.put('nodes', testNode(`node-${at}`, { labels, allocatable: { cpu: '8' } }));
  }
  const requests = { cpu: '100m', memory: '500Mi' };
  for (let at = 0; at < existing; at += 1) cluster.put('pods', testPod(`old-${at}`, { ...fields, requests, nodeName: `node-${at}` }));
  const stop = new AbortController();
  const informers = newInformerFactory(cluster.client, { clock: realClock });
  let bound = 0;
  let finish = (): void => undefined;
  const done = new Promise<void>((resolve) => {
    finish = resolve;
  });
  cluster.onBinding = () => {
    bound += 1;
    if (bound === pods) finish();
  };
  const scheduler = newScheduler({ client: cluster.client, informers, clock: realClock, random: systemRandom });
  const running = [informers.run(stop.signal), scheduler.run(stop.signal)];
  await informers.waitForSync(stop.signal);
  const startMs = realClock.monotonicMs();
  const fresh: Pod[] = Array.from({ length: pods }, (_, at) => testPod(`new-${at}`, { ...fields, requests }));
  for (const pod of fresh) cluster.put('pods', pod);
  await done;
  const seconds = (realClock.monotonicMs() - startMs) / 1000;
  stop.abort();
  await Promise.all(running);
  return { pods, seconds, podsPerSecond: Math.round(pods / seconds) };
}
