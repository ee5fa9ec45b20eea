import { isDeepStrictEqual } from 'node:util';
import type { Container, Pod, ResourceRequirements } from '@orrery/api/core/v1';
import { isSidecar } from '../pod/container-spec.ts';

/** What a pod's containers may use, as its node granted it: by container, and for the pod as a whole. */
export interface PodAllocation {
  readonly containers: Readonly<Record<string, ResourceRequirements>>;
  readonly pod?: ResourceRequirements;
}

/** The containers whose resources may change while they run. */
export const resizableContainers = ({ spec }: Pod): readonly Container[] => [
  ...(spec.initContainers ?? []).filter(isSidecar),
  ...spec.containers,
];

/** What the pod's spec asks for. */
export function allocationOf(pod: Pod): PodAllocation {
  const containers = Object.fromEntries(resizableContainers(pod).map(({ name, resources }) => [name, resources ?? {}]));
  return { containers, ...(pod.spec.resources === undefined ? {} : { pod: pod.spec.resources }) };
}

/** The pod with the resources of `allocation` in place of those it asks for; the same object where they are the same. */
export function withAllocation(pod: Pod, allocation: PodAllocation): Pod {
  if (isDeepStrictEqual(allocationOf(pod), allocation)) return pod;
  const replaced = (container: Container): Container => {
    const resources = allocation.containers[container.name];
    return resources === undefined || isDeepStrictEqual(container.resources ?? {}, resources) ? container : { ...container, resources };
  };
  const { initContainers, resources: _, ...spec } = pod.spec;
  return {
    ...pod,
    spec: {
      ...spec,
      containers: spec.containers.map(replaced),
      ...(initContainers === undefined
        ? {}
        : { initContainers: initContainers.map((container) => (isSidecar(container) ? replaced(container) : container)) }),
      ...(allocation.pod === undefined ? {} : { resources: allocation.pod }),
    },
  };
}
