import type { DaemonSet, Deployment, ReplicaSet, StatefulSet } from '@orrery/api/apps/v1';
import type { Job } from '@orrery/api/batch/v1';
import type { Node, Pod } from '@orrery/api/core/v1';
import type { ObjectMeta } from '@orrery/apimachinery';
import { quantityMilliValue, quantityValue } from '@orrery/apimachinery';
import type { NodeView, PodView, WorkloadKind, WorkloadView } from '../protocol.ts';
import { containersOf, podStatusOf } from './pod-status.ts';

/** Ids are short and unique among clusters: uids repeat in clusters that were restored from one backup. */
export const idOf = (cluster: number, uid: string): string => `${cluster}:${uid}`;

const baseOf = (cluster: number, { uid, name, creationTimestamp }: ObjectMeta) => ({
  id: idOf(cluster, uid ?? ''),
  cluster,
  name: name ?? '',
  createdMs: Date.parse(creationTimestamp ?? '') || 0,
});

function ownerOf(cluster: number, { ownerReferences }: ObjectMeta): string {
  const owner = ownerReferences?.find(({ controller }) => controller === true);
  return owner === undefined ? '' : idOf(cluster, owner.uid);
}

export function podView(cluster: number, pod: Pod): PodView {
  return {
    kind: 'pod',
    ...baseOf(cluster, pod.metadata),
    namespace: pod.metadata.namespace ?? '',
    node: pod.spec?.nodeName ?? '',
    phase: pod.status?.phase ?? 'Pending',
    ip: pod.status?.podIP ?? '',
    owner: ownerOf(cluster, pod.metadata),
    containers: containersOf(pod),
    ...podStatusOf(pod),
  };
}

export function nodeView(cluster: number, node: Node): NodeView {
  const condition = node.status?.conditions?.find(({ type }) => type === 'Ready');
  const ready = condition?.status === 'True';
  const words = [ready ? 'Ready' : condition?.status === 'False' ? 'NotReady' : 'Unknown'];
  if (node.spec?.unschedulable === true) words.push('SchedulingDisabled');
  const { cpu = '0', memory = '0', pods = '0' } = node.status?.allocatable ?? {};
  return {
    kind: 'node',
    ...baseOf(cluster, node.metadata),
    ready,
    status: words.join(','),
    message: ready ? '' : (condition?.message ?? 'the node has not told its state'),
    cpuMilli: quantityMilliValue(cpu),
    memoryBytes: quantityValue(memory),
    pods: quantityValue(pods),
    version: node.status?.nodeInfo?.kubeletVersion ?? '',
    address: node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? '',
  };
}

type Counts = Pick<WorkloadView, 'desired' | 'ready' | 'updated'>;

function workload(cluster: number, type: WorkloadKind, metadata: ObjectMeta, counts: Counts, message = ''): WorkloadView {
  const base = baseOf(cluster, metadata);
  return { kind: 'workload', type, ...base, namespace: metadata.namespace ?? '', owner: ownerOf(cluster, metadata), message, ...counts };
}

export function deploymentView(cluster: number, { metadata, spec, status }: Deployment): WorkloadView {
  const trouble = status?.conditions?.find(
    ({ type, status }) => (type === 'ReplicaFailure' && status === 'True') || (type === 'Progressing' && status === 'False'),
  );
  const counts = { desired: spec?.replicas ?? 1, ready: status?.readyReplicas ?? 0, updated: status?.updatedReplicas ?? 0 };
  return workload(cluster, 'Deployment', metadata, counts, trouble?.message ?? '');
}

export function replicaSetView(cluster: number, { metadata, spec, status }: ReplicaSet): WorkloadView {
  const failure = status?.conditions?.find(({ type, status }) => type === 'ReplicaFailure' && status === 'True');
  const counts = { desired: spec?.replicas ?? 1, ready: status?.readyReplicas ?? 0, updated: status?.replicas ?? 0 };
  return workload(cluster, 'ReplicaSet', metadata, counts, failure?.message ?? '');
}

export function statefulSetView(cluster: number, { metadata, spec, status }: StatefulSet): WorkloadView {
  const counts = { desired: spec?.replicas ?? 1, ready: status?.readyReplicas ?? 0, updated: status?.updatedReplicas ?? 0 };
  return workload(cluster, 'StatefulSet', metadata, counts);
}

export function daemonSetView(cluster: number, { metadata, status }: DaemonSet): WorkloadView {
  const { desiredNumberScheduled: desired = 0, numberReady: ready = 0, updatedNumberScheduled: updated = 0 } = status ?? {};
  return workload(cluster, 'DaemonSet', metadata, { desired, ready, updated });
}

export function jobView(cluster: number, { metadata, spec, status }: Job): WorkloadView {
  const failed = status?.conditions?.find(({ type, status }) => type === 'Failed' && status === 'True');
  const counts = { desired: spec?.completions ?? spec?.parallelism ?? 1, ready: status?.succeeded ?? 0, updated: status?.active ?? 0 };
  return workload(cluster, 'Job', metadata, counts, failed?.message ?? '');
}
