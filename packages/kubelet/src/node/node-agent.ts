import { nodes } from '@orrery/api';
import type { ContainerImage, Node, NodeAddress, NodeCondition, NodeStatus, ObjectReference, Taint } from '@orrery/api/core/v1';
import { isAlreadyExists } from '@orrery/apimachinery';
import { type Clock, deferred, type Random, withJitter } from '@orrery/base';
import type { Client } from '@orrery/client';
import type { Logger } from '@orrery/component';
import type { Runtime } from '@orrery/cri';
import type { PressureType, ThresholdMap } from '../eviction/thresholds.ts';
import type { ResourceList } from '../pod/resources.ts';
import { messageOf } from '../runtime/errors.ts';
import { type EventSink, reasons } from '../runtime/events.ts';
import { architecture, type Machine } from './machine.ts';
import { conditionEvent, nodeConditions } from './node-conditions.ts';
import { newNodeLease } from './node-lease.ts';
import { isExtendedResource, nodeStatus, nodeStatusChanged, nodeStatusPatch } from './node-status.ts';

export interface NodeAgentOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly events: EventSink;
  readonly runtime: Runtime;
  readonly nodeName: string;
  readonly hostName: string;
  readonly rootDirectory: string;
  readonly machine: Machine;
  readonly addresses: readonly NodeAddress[];
  /** Of the kubelet's server; 0: none. */
  readonly port: () => number;
  readonly podsMax: number;
  readonly capacity: ResourceList;
  readonly reserved: ResourceList;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  readonly kubeletVersion: string;
  readonly evictionHard: ThresholdMap;
  readonly pressures: () => ReadonlySet<PressureType>;
  readonly leaseRenewMs: number;
  readonly statusUpdateMs: number;
  readonly statusReportMs: number;
  /** What else keeps the node from running pods. */
  readonly problems: () => readonly string[];
}

/** Keeps the Node object and its lease. */
export interface NodeAgent {
  /** Makes the Node, or brings the labels of one that is there up to date. Tries until it succeeds or `signal` aborts. */
  register(signal: AbortSignal): Promise<void>;
  /** Heartbeats until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
  /** Something that the status tells of has changed: look now. */
  wake(): void;
  readonly node: Node | undefined;
  /** The node object as the API now has it. */
  observe(node: Node): void;
  allocatable(): ResourceList;
  /** Why pods with a network of their own cannot start; `undefined` when they can. */
  networkProblem(): string | undefined;
}

const REGISTER_RETRY_MS = 200;
const REGISTER_RETRY_MAX_MS = 7000;
const IMAGES_MAX = 50; // Source: KubeletConfiguration.nodeStatusMaxImages.
const IMAGES_REFRESH_MS = 60_000;

export function newNodeAgent(options: NodeAgentOptions): NodeAgent {
  const { client, clock, random, log, events, runtime, nodeName } = options;
  let node: Node | undefined;
  let status: NodeStatus | undefined; // As last computed.
  let reportedMs = Number.NEGATIVE_INFINITY; // Monotonic time of the last write.
  let conditions: readonly NodeCondition[] = [];
  let images: readonly ContainerImage[] = [];
  let imagesMs = Number.NEGATIVE_INFINITY;
  let network: string | undefined;
  let runtimeHandlers: NodeStatus['runtimeHandlers']; // As the runtime told them last.
  let features: NodeStatus['features'];
  let wakeUp = deferred<void>();
  const about: ObjectReference = { apiVersion: 'v1', kind: 'Node', name: nodeName, uid: nodeName };
  const lease = newNodeLease(client, clock, nodeName, () => node);

  async function listImages(): Promise<void> {
    if (clock.monotonicMs() - imagesMs < IMAGES_REFRESH_MS) return;
    imagesMs = clock.monotonicMs();
    const { images: found = [] } = await runtime.listImages({});
    images = [...found]
      .sort((a, b) => (b.size ?? 0) - (a.size ?? 0))
      .slice(0, IMAGES_MAX)
      .map(({ repoDigests = [], repoTags = [], size = 0 }) => ({ names: [...repoDigests, ...repoTags].slice(0, 5), sizeBytes: size }));
  }

  /** What the runtime complains of. */
  async function runtimeProblems(): Promise<readonly string[]> {
    try {
      const { status: answer, runtimeHandlers: handlers, features: told } = await runtime.status({});
      runtimeHandlers = handlers?.map(({ name = '', features: own }) => ({
        name,
        features: { recursiveReadOnlyMounts: own?.recursiveReadOnlyMounts === true, userNamespaces: own?.userNamespaces === true },
      }));
      features = told === undefined ? undefined : { supplementalGroupsPolicy: told.supplementalGroupsPolicy === true };
      await listImages();
      const bad = (answer?.conditions ?? []).filter((condition) => condition.status !== true);
      const text = bad.map(({ type = '', reason = '', message = '' }) => ({
        type,
        detail: `${type}=false reason:${reason} message:${message}`,
      }));
      network = text.find(({ type }) => type === 'NetworkReady')?.detail;
      return text.map(
        ({ type, detail }) =>
          `${type === 'NetworkReady' ? 'container runtime network not ready' : 'container runtime not ready'}: ${detail}`,
      );
    } catch (err) {
      return [`container runtime is down: ${messageOf(err)}`];
    }
  }

  let runtimeVersion = '';
  async function readRuntimeVersion(): Promise<void> {
    const { runtimeName = '', runtimeVersion: version = '' } = await runtime.version({});
    runtimeVersion = `${runtimeName}://${version}`;
  }

  async function compute(): Promise<NodeStatus> {
    if (runtimeVersion === '') await readRuntimeVersion().catch(() => {}); // What is wrong shows in the problems below.
    const problems = [...(await runtimeProblems()), ...options.problems()];
    const before = conditions.length === 0 ? (node?.status?.conditions ?? []) : conditions;
    conditions = nodeConditions({ pressures: options.pressures(), problems }, before, clock.now());
    const { machine, podsMax, capacity, reserved, addresses, port, kubeletVersion, evictionHard } = options;
    return nodeStatus(
      {
        machine,
        podsMax,
        capacity,
        reserved,
        addresses,
        port: port(),
        runtimeVersion,
        kubeletVersion,
        images,
        conditions,
        evictionHard,
        runtimeHandlers,
        features,
      },
      node,
    );
  }

  function tellChanges(before: readonly NodeCondition[], after: readonly NodeCondition[]): void {
    for (const condition of after) {
      if (before.find(({ type }) => type === condition.type)?.status === condition.status) continue;
      const reason = conditionEvent(condition);
      if (reason !== undefined) events.event(about, 'Normal', reason, `Node ${nodeName} status is now: ${reason}`);
    }
  }

  async function report(): Promise<void> {
    const before = conditions;
    status = await compute();
    tellChanges(before, conditions);
    const due = clock.monotonicMs() - reportedMs >= options.statusReportMs;
    if (!due && !nodeStatusChanged(node?.status, status)) return;
    const body = { status: nodeStatusPatch(node?.status, status) };
    node = await client.patch(nodes, { name: nodeName }, 'strategic', body, { subresource: 'status' });
    reportedMs = clock.monotonicMs();
  }

  const labels = (): Record<string, string> => ({
    'kubernetes.io/hostname': options.hostName,
    'kubernetes.io/os': 'linux',
    'kubernetes.io/arch': architecture(),
    'beta.kubernetes.io/os': 'linux',
    'beta.kubernetes.io/arch': architecture(),
    ...options.labels,
  });

  async function registerOnce(): Promise<void> {
    const before = conditions;
    status = await compute();
    try {
      node = await client.create(nodes, {
        metadata: { name: nodeName, labels: labels() },
        spec: options.taints.length === 0 ? {} : { taints: options.taints },
        status,
      });
    } catch (err) {
      if (!isAlreadyExists(err)) throw err;
      node = await client.patch(nodes, { name: nodeName }, 'strategic', { metadata: { labels: labels() } });
    }
    tellChanges(before, conditions);
  }

  async function heartbeat(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await lease.renew().catch((err: unknown) => log.warn('renewing the node lease failed', { error: messageOf(err) }));
      await clock.sleep(withJitter(options.leaseRenewMs, 0.04, random), signal).catch(() => {});
    }
  }

  async function statusLoop(signal: AbortSignal): Promise<void> {
    const ring = (): void => wakeUp.resolve();
    signal.addEventListener('abort', ring, { once: true });
    while (!signal.aborted) {
      wakeUp = deferred<void>();
      await report().catch((err: unknown) => log.warn('updating the node status failed', { error: messageOf(err) }));
      const timer = clock.after(options.statusUpdateMs, ring);
      if (!signal.aborted) await wakeUp.promise;
      timer.cancel();
    }
  }

  return {
    get node() {
      return node;
    },
    observe(seen) {
      node = seen;
      const { capacity = {}, allocatable = {} } = seen.status ?? {};
      if (Object.entries(capacity).some(([name, amount]) => isExtendedResource(name) && allocatable[name] !== amount)) wakeUp.resolve();
    },
    wake: () => wakeUp.resolve(),
    allocatable: () => status?.allocatable ?? node?.status?.allocatable ?? {},
    networkProblem: () => network,
    async register(signal) {
      events.event(about, 'Normal', reasons.starting, 'Starting kubelet.');
      for (let delayMs = REGISTER_RETRY_MS; !signal.aborted; delayMs = Math.min(delayMs * 2, REGISTER_RETRY_MAX_MS)) {
        try {
          await registerOnce();
          return;
        } catch (err) {
          log.warn('registering the node failed', { node: nodeName, error: messageOf(err) });
          await clock.sleep(delayMs, signal).catch(() => {});
        }
      }
    },
    async run(signal) {
      await Promise.all([heartbeat(signal), statusLoop(signal)]);
    },
  };
}
