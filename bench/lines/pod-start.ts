import { pods } from '@orrery/api';
import type { Container, Pod } from '@orrery/api/core/v1';
import type { NewObject } from '@orrery/apimachinery';
import { type Disposer, newDisposer } from '@orrery/base';
import type { Client } from '@orrery/client';
import { busyboxImage, startRegistry } from '@orrery/cri-oci/testing';
import { makeTestBridge, startContainerd } from '@orrery/cri-remote/testing';
import type { Line } from '../line.ts';
import { busybox, clientOf, loadBusybox, namespace } from '../support/clusters.ts';
import { orreryUp, type RunningOrrery } from '../support/orrery-up.ts';
import { nowMs, sleep } from '../support/timing.ts';

const AT_ONCE = 50;

const newSleeper = (name: string, container: Partial<Container>): NewObject<Pod> =>
  ({
    metadata: { namespace, name },
    spec: {
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'c', command: ['sleep', '3600'], ...container }],
    },
  }) as NewObject<Pod>;

/** Creates pods at the same time. Milliseconds from sending each until a watch shows it Running; then it is deleted. All are gone in the end. */
async function startPods(
  client: Client,
  newPod: (name: string) => NewObject<Pod>,
  names: readonly string[],
  signal: AbortSignal,
): Promise<readonly number[]> {
  const startedMs = new Map<string, number>();
  const tookMs = new Map<string, number>();
  const left = new Set(names);
  const over = new AbortController();
  const deletions: Promise<unknown>[] = [];
  const watched = (async () => {
    for await (const events of client.watch<Pod>(pods, { namespace, signal: AbortSignal.any([signal, over.signal]) })) {
      for (const { type, object } of events) {
        const { name } = object.metadata;
        const phase = object.status?.phase;
        if (type === 'DELETED') left.delete(name);
        if (left.size === 0) return;
        if (phase === 'Failed') throw new Error(`${name} failed: ${JSON.stringify(object.status)}`);
        if (phase !== 'Running' || tookMs.has(name)) continue;
        tookMs.set(name, nowMs() - (startedMs.get(name) ?? 0));
        if (tookMs.size === names.length) deletions.push(...names.map((each) => client.delete(pods, { namespace, name: each })));
      }
    }
    throw new Error(`the watch ended before ${[...left].join(', ')}`);
  })();
  await sleep(20); // The watch is open.
  try {
    const created = names.map(async (name) => {
      startedMs.set(name, nowMs());
      await client.create<Pod>(pods, newPod(name));
    });
    await Promise.all([...created, watched]);
    await Promise.all(deletions); // The watch may tell of the end before the answers do.
  } finally {
    over.abort();
  }
  return [...tookMs.values()];
}

/** How one driver is asked for, and what a container is there. */
export interface PodStartDriver {
  readonly name: string;
  readonly container: Partial<Container>;
  /** Starts what the driver needs, and returns the runtime to name. @default nothing, and the driver's own name */
  start?(disposer: Disposer): Promise<string>;
  /** Brings the image. */
  loadImage?(orrery: RunningOrrery, directory: string): Promise<void>;
}

export const podStartLine = ({ name, container, start, loadImage }: PodStartDriver): Line => ({
  name: `pod-start-${name}`,
  what: `pod created until Running, ${name} driver`,
  method: `\`orrery up\`; pods of one \`sleep\`, one after the other, then ${AT_ONCE} at once; from sending the pod to the watch event, over HTTPS from another process`,
  figures: [
    { name: 'one by one', unit: 'ms', reach: { atMost: 100 } },
    { name: 'one by one, 99th percentile', unit: 'ms', percentile: 0.99 },
    { name: `${AT_ONCE} at once`, unit: 'ms' },
    { name: `${AT_ONCE} at once, 99th percentile`, unit: 'ms', percentile: 0.99 },
  ],
  runs: { full: 1, quick: 1 },
  timeoutMs: 120_000,
  async measure({ directory, quick, signal }) {
    await using disposer = newDisposer();
    const runtime = (await start?.(disposer)) ?? name;
    await using orrery = await orreryUp(directory, signal, ['--runtime', runtime]);
    await using connected = await clientOf(orrery, signal);
    await loadImage?.(orrery, directory);
    const startAll = (names: readonly string[]): Promise<readonly number[]> =>
      startPods(connected.client, (pod) => newSleeper(pod, container), names, signal);
    await startAll(['warm-up']); // The first one waits for the node.
    const single: number[] = [];
    for (let index = 0; index < (quick ? 20 : 50); index += 1) single.push(...(await startAll([`pod-${index}`])));
    const many = await startAll(Array.from({ length: AT_ONCE }, (_, index) => `many-${index}`));
    return {
      'one by one': single,
      'one by one, 99th percentile': single,
      [`${AT_ONCE} at once`]: many,
      [`${AT_ONCE} at once, 99th percentile`]: many,
    };
  },
});

/** A containerd of our own, on a bridge of our own, which pulls from a registry of our own. */
async function startRemote(disposer: Disposer): Promise<string> {
  const registry = disposer.use(await startRegistry());
  const image = busyboxImage({ Entrypoint: ['sleep', 'infinity'] });
  await Promise.all([registry.push('library/busybox', '1', image), registry.push('orrery/pause', '1', image)]);
  const network = await makeTestBridge();
  disposer.defer(() => network.close());
  const containerd = await startContainerd({
    network,
    sandboxImage: `${registry.host}/orrery/pause:1`,
    registries: { 'docker.io': registry.host, [registry.host]: registry.host },
  });
  disposer.defer(() => containerd.close());
  return containerd.endpoint;
}

export const podStartLines: readonly Line[] = [
  podStartLine({ name: 'oci', container: { image: busybox }, loadImage: loadBusybox }),
  podStartLine({ name: 'remote', container: { image: busybox }, start: startRemote }),
  podStartLine({ name: 'process', container: { image: 'host' } }),
];
