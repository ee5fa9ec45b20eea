import { leases as leaseResource, nodes as nodeResource, pods as podResource } from '@orrery/api';
import type { Node, ObjectReference } from '@orrery/api/core/v1';
import { isConflict, isNotFound } from '@orrery/apimachinery';
import { byNodeName, type EventRecorder, nodeNameIndex } from '@orrery/client';
import type { Runnable } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';
import { newPeriodic } from '../periodic.ts';
import { isSilent, type NodeHealth, observeNode, readyCondition, readyStatus, unknownConditions } from './node-health.ts';
import { hasNoExecute, NOT_READY, readinessTaintChange, UNREACHABLE, writeTaints } from './node-taints.ts';
import { markPodsNotReady } from './unready-pods.ts';
import { newZoneLimits, zoneOf } from './zones.ts';

const LEASE_NAMESPACE = 'kube-node-lease';
const PARALLEL = 32;

/** A node as it was found, and as it is after this round. */
interface Looked {
  readonly before: Node;
  readonly node: Node;
}

/** Holds nodes that give no sign of life for lost: says so in their status, and marks them so that their pods leave. */
export function newNodeMonitor(context: ControllerContext, recorder: EventRecorder): Runnable {
  const { client, clock, informers, log, config } = context;
  const nodes = informers.informer(nodeResource);
  const leases = informers.informer(leaseResource, { namespace: LEASE_NAMESPACE });
  const pods = informers.informer(podResource, { indexers: { [nodeNameIndex]: byNodeName } });
  const health = new Map<string, NodeHealth>(); // By node name; entries of nodes that are gone are dropped each round.
  const known = new Map<string, Node>();
  const unmarked = new Set<string>(); // Nodes some of whose pods could not be marked as not ready.
  const limits = newZoneLimits();

  /** Looks for signs of life, and writes down when there are none. */
  async function look(cached: Node, signal: AbortSignal): Promise<Looked> {
    const { name } = cached.metadata;
    const lease = leases.lister.get({ namespace: LEASE_NAMESPACE, name });
    const nowMs = clock.monotonicMs();
    const seen = observeNode(health.get(name), cached, lease, { nowMs, wallMs: clock.now() });
    health.set(name, seen);
    if (!isSilent(cached, seen, config.nodeMonitorGraceMs, nowMs) || readyCondition(cached)?.status === 'Unknown')
      return { before: cached, node: cached };
    const silent = { ...cached, status: { ...cached.status, conditions: unknownConditions(cached, clock.now()) } };
    const node = await client.updateStatus(nodeResource, silent, { signal });
    health.set(name, { ...seen, heartbeat: readyCondition(node)?.lastHeartbeatTime ?? '' });
    return { before: cached, node };
  }

  async function lookAfter(cached: Node, signal: AbortSignal): Promise<Node> {
    const { before, node } = await look(cached, signal);
    const { name } = node.metadata;
    const fell = readyStatus(before) === 'True' && readyStatus(node) !== 'True';
    if (fell) {
      recorder.event(nodeReference(node), 'Normal', 'NodeNotReady', `Node ${name} status is now: NodeNotReady`);
      unmarked.add(name);
    }
    if (readyStatus(node) === 'True') unmarked.delete(name);
    if (unmarked.has(name)) {
      await markPodsNotReady({ client, clock, recorder }, pods.lister.byIndex(nodeNameIndex, name), signal);
      unmarked.delete(name);
    }
    return node;
  }

  /** Empties nodes that were found down in an earlier round already; those that are up are welcome again. */
  async function taint(cached: Node, signal: AbortSignal): Promise<void> {
    const status = readyStatus(cached);
    const marks = hasNoExecute(cached, NOT_READY) || hasNoExecute(cached, UNREACHABLE);
    if (readyCondition(cached) === undefined || (status === 'True' && !marks)) return;
    if (status !== 'True' && hasNoExecute(cached, status === 'False' ? NOT_READY : UNREACHABLE)) return;
    // A node that is marked already only changes the mark: that empties nothing anew.
    if (status !== 'True' && !marks && !limits.tryTake(zoneOf(cached), clock.monotonicMs())) return;
    await writeTaints(context, cached, readinessTaintChange(status), signal);
  }

  function meet(all: readonly Node[]): void {
    for (const node of all) {
      const { name } = node.metadata;
      if (known.get(name)?.metadata.uid !== node.metadata.uid) {
        health.delete(name);
        recorder.event(nodeReference(node), 'Normal', 'RegisteredNode', `Node ${name} event: Registered Node ${name} in Controller`);
      }
      known.set(name, node);
    }
    if (known.size === all.length) return;
    const present = new Set(all.map(({ metadata }) => metadata.name));
    for (const [name, node] of known) {
      if (present.has(name)) continue;
      recorder.event(nodeReference(node), 'Normal', 'RemovingNode', `Node ${name} event: Removing Node ${name} from Controller`);
      for (const memory of [known, health, unmarked]) memory.delete(name);
    }
  }

  /** After an outage of everything, every node gets the whole grace period again: its signs of life may not have got through. */
  function forgive(): void {
    const seenMs = clock.monotonicMs();
    for (const [name, old] of health) health.set(name, { ...old, seenMs });
  }

  const eachNode = async (all: readonly Node[], signal: AbortSignal, work: (node: Node) => Promise<void>): Promise<void> => {
    let at = 0;
    const lane = async (): Promise<void> => {
      for (let node = all[at++]; node !== undefined && !signal.aborted; node = all[at++]) {
        const { name } = node.metadata;
        await work(node).catch((error: unknown) => {
          if (signal.aborted || isNotFound(error) || isConflict(error)) return; // The next round sees what is newer.
          log.warn('a node could not be looked after', { node: name, error });
        });
      }
    };
    await Promise.all(Array.from({ length: Math.min(PARALLEL, all.length) }, lane));
  };

  return newPeriodic({
    name: 'node-lifecycle-controller',
    clock,
    log,
    periodMs: config.nodeMonitorPeriodMs,
    reads: [nodes, leases, pods],
    async tick(signal) {
      const all = nodes.lister.list();
      meet(all);
      const after = new Map(all.map((node) => [node.metadata.name, node]));
      await eachNode(all, signal, async (node) => void after.set(node.metadata.name, await lookAfter(node, signal)));
      const change = limits.update([...after.values()], clock.monotonicMs());
      if (change === 'left') forgive();
      if (change === 'entered')
        await eachNode([...after.values()], signal, (node) => writeTaints(context, node, readinessTaintChange('True'), signal));
      else await eachNode(all, signal, (node) => taint(node, signal));
    },
  });
}

/** As upstream's events name nodes. */
const nodeReference = ({ metadata }: Node): ObjectReference => ({ apiVersion: 'v1', kind: 'Node', name: metadata.name, uid: metadata.uid });
