import { leases, nodes, pods as podResource } from '@orrery/api';
import type { Lease } from '@orrery/api/coordination/v1';
import type { Node, Pod, Taint } from '@orrery/api/core/v1';
import { formatMicroTime, isAlreadyExists, isConflict, isNotFound } from '@orrery/apimachinery';
import { aborted, type Clock, deferred, type Timer } from '@orrery/base';
import type { Client, Informer } from '@orrery/client';
import { type Logger, silentLogger } from '@orrery/component';
import { defaultKubeletConfig } from '../config.ts';
import { LEASE_DURATION_SECONDS, LEASE_NAMESPACE } from '../node/node-lease.ts';
import { isTerminalPhase } from '../pod/container-spec.ts';
import type { ResourceList } from '../pod/resources.ts';
import { messageOf } from '../runtime/errors.ts';
import { hollowNodeStatus, hollowPodStatus } from './hollow-status.ts';

export interface HollowNodesOptions {
  readonly client: Client;
  readonly clock: Clock;
  /** Every pod of the cluster, or at least those of these nodes: one copy for all, run by the caller. */
  readonly pods: Informer<Pod>;
  /** The nodes' names: at most 65,000. */
  readonly names: readonly string[];
  /** @default 4 CPUs, 32 GiB, 110 pods, 100 GiB of disk, as upstream's kubemark */
  readonly capacity?: ResourceList;
  /** Of one node, beside its host name. @default none */
  readonly labels?: (name: string, index: number) => Readonly<Record<string, string>>;
  readonly taints?: (name: string, index: number) => readonly Taint[];
  /** How a pod ends by itself; `undefined`: it does not. @default no pod does */
  readonly lifetime?: (pod: Pod) => { readonly afterMs: number; readonly exitCode: number } | undefined;
  /** Between two renewals of one node's lease, in milliseconds. @default 10,000 */
  readonly leaseRenewMs?: number;
  /** Requests under way at once. @default 64 */
  readonly parallel?: number;
  readonly log?: Logger;
}

/** Nodes that run nothing: their pods are Running as soon as they are bound, and gone as soon as they are deleted. */
export interface HollowNodes {
  /** Registers the nodes and keeps them until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
  /** Resolves when every node is registered. */
  readonly registered: Promise<void>;
}

const defaultCapacity: ResourceList = { cpu: '4', memory: '32Gi', 'ephemeral-storage': '100Gi', pods: '110' };
const TICK_MS = 100; // Renewals of one tick go out together: one timer for all nodes.
const RETRY_MS = 500;

interface HollowNode {
  readonly name: string;
  readonly index: number;
  readonly address: string;
  lease: Lease | undefined;
}

/** Work by key, a bounded number at once; a key that comes again while it runs runs once more. */
function newKeyedPool(parallel: number, work: (key: string) => Promise<void>) {
  const waiting = new Set<string>();
  const running = new Set<string>();
  const pump = (): void => {
    for (const key of waiting) {
      if (running.size >= parallel) return;
      if (running.has(key)) continue;
      waiting.delete(key);
      running.add(key);
      void work(key).finally(() => {
        running.delete(key);
        pump();
      });
    }
  };
  return {
    add(key: string): void {
      waiting.add(key);
      pump();
    },
    clear: (): void => waiting.clear(),
  };
}

export function newHollowNodes(options: HollowNodesOptions): HollowNodes {
  const { client, clock, pods, names, capacity = defaultCapacity, leaseRenewMs = 10_000, parallel = 64, log = silentLogger } = options;
  const all = names.map(
    (name, index): HollowNode => ({
      name,
      index,
      address: `10.${64 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`,
      lease: undefined,
    }),
  );
  const byName = new Map(all.map((node) => [node.name, node]));
  const registered = deferred<void>();
  const timers = new Map<string, Timer>(); // By pod uid: pods that will end by themselves.
  let addresses = 0; // Given to pods, one after the other.
  let stopped = false;

  const nextIp = (): string => {
    addresses += 1;
    return `10.${128 + ((addresses >> 16) & 63)}.${(addresses >> 8) & 255}.${addresses & 255}`;
  };

  async function register({ name, index, address }: HollowNode): Promise<void> {
    const labels = {
      'kubernetes.io/hostname': name,
      'kubernetes.io/os': 'linux',
      'kubernetes.io/arch': 'amd64',
      ...options.labels?.(name, index),
    };
    const taints = options.taints?.(name, index) ?? [];
    const status = hollowNodeStatus(name, address, capacity, defaultKubeletConfig.kubeletVersion, clock.now());
    try {
      const made = await client.create<Node>(nodes, { metadata: { name, labels }, spec: taints.length === 0 ? {} : { taints }, status });
      // A server may take a node without its status.
      if (made.status?.conditions === undefined) await client.updateStatus(nodes, { ...made, status });
    } catch (err) {
      if (!isAlreadyExists(err)) throw err;
      await client.patch(nodes, { name }, 'strategic', { status }, { subresource: 'status' });
    }
  }

  async function renew(node: HollowNode): Promise<void> {
    const key = { namespace: LEASE_NAMESPACE, name: node.name };
    const spec = { holderIdentity: node.name, leaseDurationSeconds: LEASE_DURATION_SECONDS, renewTime: formatMicroTime(clock.now()) };
    try {
      if (node.lease === undefined) node.lease = await client.create<Lease>(leases, { metadata: key, spec });
      else node.lease = await client.update(leases, { ...node.lease, spec });
    } catch (err) {
      if (isAlreadyExists(err) || isConflict(err)) node.lease = await client.get(leases, key);
      else if (isNotFound(err)) node.lease = undefined;
      else throw err;
    }
  }

  /** Calls `fn` for each, a bounded number at once, again after failures. */
  async function forEach(items: readonly HollowNode[], fn: (node: HollowNode) => Promise<void>, signal: AbortSignal): Promise<void> {
    let at = 0;
    const lane = async (): Promise<void> => {
      for (let node = items[at++]; node !== undefined && !signal.aborted; node = items[at++]) {
        const current = node;
        await fn(current).catch(async (err: unknown) => {
          log.warn('a hollow node could not do its part', { node: current.name, error: messageOf(err) });
          await clock.sleep(RETRY_MS, signal).catch(() => {});
        });
      }
    };
    await Promise.all(Array.from({ length: Math.min(parallel, items.length) }, lane));
  }

  async function registerUntilDone(node: HollowNode, signal: AbortSignal): Promise<void> {
    for (let done = false; !done && !signal.aborted; ) {
      done = await register(node).then(
        () => true,
        async (err: unknown) => {
          log.warn('registering a hollow node failed', { node: node.name, error: messageOf(err) });
          await clock.sleep(RETRY_MS, signal).catch(() => {});
          return false;
        },
      );
    }
  }

  /** Each node once every `leaseRenewMs`, spread evenly. */
  async function heartbeats(signal: AbortSignal): Promise<void> {
    await forEach(all, renew, signal);
    const startMs = clock.monotonicMs();
    let renewed = 0;
    while (!signal.aborted && all.length > 0) {
      await clock.sleep(TICK_MS, signal).catch(() => {});
      const due = Math.floor(((clock.monotonicMs() - startMs) * all.length) / leaseRenewMs);
      const batch = Array.from({ length: Math.min(due - renewed, all.length) }, (_, at) => all[(renewed + at) % all.length]);
      renewed = due;
      await forEach(
        batch.filter((node) => node !== undefined),
        renew,
        signal,
      );
    }
  }

  async function setStatus(pod: Pod, node: HollowNode, end?: { readonly exitCode: number; readonly startedAtMs: number }): Promise<void> {
    const podIp = pod.spec.hostNetwork === true ? node.address : (pod.status?.podIP ?? nextIp());
    await client.updateStatus(podResource, { ...pod, status: hollowPodStatus(pod, { podIp, hostIp: node.address }, clock.now(), end) });
    const lifetime = end === undefined ? options.lifetime?.(pod) : undefined;
    if (lifetime === undefined || stopped) return;
    const { uid } = pod.metadata;
    const startedAtMs = clock.now();
    const finish = (): void => {
      timers.delete(uid);
      ends.set(uid, { exitCode: lifetime.exitCode, startedAtMs });
      work.add(`${pod.metadata.namespace ?? ''}/${pod.metadata.name}`);
    };
    timers.set(uid, clock.after(lifetime.afterMs, finish));
  }
  const ends = new Map<string, { readonly exitCode: number; readonly startedAtMs: number }>();

  async function step(pod: Pod, node: HollowNode): Promise<void> {
    const { name, namespace, uid, deletionTimestamp } = pod.metadata;
    if (deletionTimestamp !== undefined) {
      await client.delete(podResource, { namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } });
      return;
    }
    if (isTerminalPhase(pod.status?.phase)) return;
    const end = ends.get(uid);
    if (end !== undefined) {
      await setStatus(pod, node, end);
      ends.delete(uid);
    } else if (pod.status?.phase !== 'Running') await setStatus(pod, node);
  }

  const work = newKeyedPool(parallel, async (key) => {
    const pod = pods.lister.get(key);
    const node = pod === undefined ? undefined : byName.get(pod.spec.nodeName ?? '');
    if (pod === undefined || node === undefined || stopped) return;
    try {
      await step(pod, node);
    } catch (err) {
      if (isNotFound(err) || stopped) return;
      // A conflict: the informer is about to bring the newer pod, which adds the key again.
      if (isConflict(err)) return;
      log.warn('a hollow pod could not be moved on', { pod: key, error: messageOf(err) });
      clock.after(RETRY_MS, () => work.add(key));
    }
  });

  function observe(pod: Pod): void {
    const { nodeName = '' } = pod.spec;
    if (nodeName === '' || !byName.has(nodeName)) return;
    const { phase } = pod.status ?? {};
    if (pod.metadata.deletionTimestamp === undefined && (phase === 'Running' || isTerminalPhase(phase)) && !ends.has(pod.metadata.uid))
      return;
    work.add(`${pod.metadata.namespace ?? ''}/${pod.metadata.name}`);
  }

  function forget({ metadata }: Pod): void {
    timers.get(metadata.uid)?.cancel();
    timers.delete(metadata.uid);
    ends.delete(metadata.uid);
  }

  return {
    registered: registered.promise,
    async run(signal) {
      const registration = pods.addHandler({ onAdd: observe, onUpdate: (_, pod) => observe(pod), onDelete: forget });
      try {
        await forEach(all, (node) => registerUntilDone(node, signal), signal);
        registered.resolve();
        await Promise.all([heartbeats(signal), aborted(signal)]);
      } finally {
        stopped = true;
        registration.remove();
        work.clear();
        for (const timer of timers.values()) timer.cancel();
        registered.resolve();
      }
    },
  };
}
