import type { Lease } from '@orrery/api/coordination/v1';
import type { Node, NodeCondition } from '@orrery/api/core/v1';
import { formatTime } from '@orrery/apimachinery';
import { findCondition } from '@orrery/client';

/** A node that has never posted a status has this long. Source: `--node-startup-grace-period`. */
export const STARTUP_GRACE_MS = 60_000;

export type ReadyStatus = 'True' | 'False' | 'Unknown';

/** What is remembered of a node's signs of life. */
export interface NodeHealth {
  /** When the last one was seen, by the controller's monotonic clock: the node's own clock is not trusted. */
  readonly seenMs: number;
  /** Of the condition Ready, as the node wrote it; undefined while there is none. */
  readonly heartbeat: string | undefined;
  /** When the lease was renewed, by the node's clock. */
  readonly renewTime: string | undefined;
}

export const readyCondition = (node: Node): NodeCondition | undefined => findCondition(node.status?.conditions, 'Ready');

/** Unknown while the node has said nothing. */
export const readyStatus = (node: Node): ReadyStatus => {
  const status = readyCondition(node)?.status;
  return status === 'True' || status === 'False' ? status : 'Unknown';
};

/** The health after another look: a new heartbeat or a renewed lease is a sign of life. */
export function observeNode(
  old: NodeHealth | undefined,
  node: Node,
  lease: Lease | undefined,
  { nowMs, wallMs }: { readonly nowMs: number; readonly wallMs: number },
): NodeHealth {
  const heartbeat = heartbeatOf(node);
  const renewTime = lease?.spec?.renewTime ?? old?.renewTime;
  const base = { heartbeat, renewTime };
  const renewed = renewTime !== undefined && (old?.renewTime === undefined || Date.parse(renewTime) > Date.parse(old.renewTime));
  if (renewed || (old !== undefined && old.heartbeat !== heartbeat)) return { ...base, seenMs: nowMs };
  if (old !== undefined) return { ...base, seenMs: old.seenMs };
  const ageMs = Math.max(0, wallMs - (Date.parse(node.metadata.creationTimestamp) || wallMs));
  return { ...base, seenMs: heartbeat === undefined ? nowMs - ageMs : nowMs };
}

/** A node that has a condition without a time has spoken too. */
function heartbeatOf(node: Node): string | undefined {
  const ready = readyCondition(node);
  return ready === undefined ? undefined : (ready.lastHeartbeatTime ?? '');
}

/** Whether the node has been silent for longer than it may. */
export const isSilent = (node: Node, { seenMs }: NodeHealth, graceMs: number, nowMs: number): boolean =>
  nowMs > seenMs + (readyCondition(node) === undefined ? STARTUP_GRACE_MS : graceMs);

// NetworkUnavailable is not the kubelet's: whoever sets up routes says so.
const kubeletConditions = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];

/** The conditions of a node that has fallen silent: nothing of what it said is known to hold. */
export function unknownConditions({ metadata, status }: Node, wallMs: number): readonly NodeCondition[] {
  const lastTransitionTime = formatTime(wallMs);
  const known = (status?.conditions ?? []).map((condition) =>
    !kubeletConditions.includes(condition.type) || condition.status === 'Unknown'
      ? condition
      : {
          ...condition,
          status: 'Unknown',
          reason: 'NodeStatusUnknown',
          message: 'Kubelet stopped posting node status.',
          lastTransitionTime,
        },
  );
  const missing = kubeletConditions
    .filter((type) => findCondition(known, type) === undefined)
    .map((type) => ({
      type,
      status: 'Unknown',
      reason: 'NodeStatusNeverUpdated',
      message: 'Kubelet never posted node status.',
      lastHeartbeatTime: metadata.creationTimestamp,
      lastTransitionTime,
    }));
  return [...known, ...missing];
}
