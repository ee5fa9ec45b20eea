import type { Container, ContainerStatus, NodeStatus, Pod, PodStatus } from '@orrery/api/core/v1';
import { formatTime } from '@orrery/apimachinery';
import { isSidecar } from '../pod/container-spec.ts';
import type { ResourceList } from '../pod/resources.ts';

/** How a hollow pod ends. */
export interface HollowEnd {
  readonly exitCode: number;
  readonly startedAtMs: number;
}

function containerStatus(pod: Pod, container: Container, now: string, end: HollowEnd | undefined, done: boolean): ContainerStatus {
  const containerID = `hollow://${pod.metadata.uid}-${container.name}`;
  const exitCode = end?.exitCode ?? 0;
  const over = end !== undefined || done;
  const startedAt = end === undefined ? now : formatTime(end.startedAtMs);
  const terminated = {
    exitCode: done ? 0 : exitCode,
    reason: done || exitCode === 0 ? 'Completed' : 'Error',
    startedAt,
    finishedAt: now,
    containerID,
  };
  return {
    name: container.name,
    state: over ? { terminated } : { running: { startedAt: now } },
    ready: done || !over,
    started: !over,
    restartCount: 0,
    image: container.image ?? '',
    imageID: container.image ?? '',
    containerID,
  };
}

/** A pod's status on a hollow node: running from the first moment, or ended. */
export function hollowPodStatus(
  pod: Pod,
  addresses: { readonly podIp: string; readonly hostIp: string },
  nowMs: number,
  end?: HollowEnd,
): PodStatus {
  const now = formatTime(nowMs);
  const { generation } = pod.metadata;
  const observed = generation === undefined ? {} : { observedGeneration: generation };
  const init = (pod.spec.initContainers ?? []).map((container) => containerStatus(pod, container, now, end, !isSidecar(container)));
  const over = end === undefined ? {} : { reason: end.exitCode === 0 ? 'PodCompleted' : 'PodFailed' };
  const condition = (type: string, status: boolean) => ({
    type,
    status: status ? 'True' : 'False',
    ...(status ? {} : over),
    ...observed,
    lastTransitionTime: now,
  });
  const foreign = (pod.status?.conditions ?? []).filter(({ type }) => !ownConditions.includes(type));
  return {
    ...pod.status,
    ...observed,
    phase: end === undefined ? 'Running' : end.exitCode === 0 ? 'Succeeded' : 'Failed',
    conditions: [
      ...foreign,
      condition('PodReadyToStartContainers', end === undefined),
      condition('Initialized', true),
      condition('Ready', end === undefined),
      condition('ContainersReady', end === undefined),
      condition('PodScheduled', true),
    ],
    hostIP: addresses.hostIp,
    hostIPs: [{ ip: addresses.hostIp }],
    podIP: addresses.podIp,
    podIPs: [{ ip: addresses.podIp }],
    startTime: pod.status?.startTime ?? now,
    ...(init.length === 0 ? {} : { initContainerStatuses: init }),
    containerStatuses: pod.spec.containers.map((container) => containerStatus(pod, container, now, end, false)),
  };
}
const ownConditions = ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'];

/** A healthy node's status. */
export function hollowNodeStatus(name: string, address: string, capacity: ResourceList, kubeletVersion: string, nowMs: number): NodeStatus {
  const now = formatTime(nowMs);
  const condition = (type: string, status: string, reason: string, message: string) => ({
    type,
    status,
    reason,
    message,
    lastHeartbeatTime: now,
    lastTransitionTime: now,
  });
  return {
    capacity,
    allocatable: capacity,
    conditions: [
      condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
      condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
      condition('PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
      condition('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status'),
    ],
    addresses: [
      { type: 'InternalIP', address },
      { type: 'Hostname', address: name },
    ],
    nodeInfo: {
      architecture: 'amd64',
      operatingSystem: 'linux',
      osImage: 'hollow',
      kernelVersion: '',
      bootID: '',
      machineID: name,
      systemUUID: name,
      containerRuntimeVersion: 'hollow://1.0.0',
      kubeletVersion,
      kubeProxyVersion: '',
    },
  };
}
