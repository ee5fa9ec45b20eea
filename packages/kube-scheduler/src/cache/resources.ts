import type { ContainerStatus, Pod } from '@orrery/api/core/v1';
import { quantityMilliValue, quantityValue } from '@orrery/apimachinery';

/** Amounts of what a node has or a pod wants. Plain numbers: exact below 2^53. */
export interface Resources {
  /** Thousandths of a core. */
  milliCpu: number;
  /** Bytes. */
  memory: number;
  /** Bytes. */
  ephemeralStorage: number;
  /** Everything else by name, in whole units; undefined while there is nothing. */
  scalars: Map<string, number> | undefined;
}

type Amounts = { readonly [name: string]: string } | undefined;

export const noResources = (): Resources => ({ milliCpu: 0, memory: 0, ephemeralStorage: 0, scalars: undefined });

/** What a container counts for in scores when it asks for nothing. Source: DefaultMilliCPURequest, DefaultMemoryRequest. */
const DEFAULT_MILLI_CPU = 100;
const DEFAULT_MEMORY = 200 * 1024 * 1024;

export function resourcesOf(amounts: Amounts): Resources {
  const result = noResources();
  if (amounts === undefined) return result;
  for (const name of Object.keys(amounts)) setAmount(result, name, amounts[name] ?? '0');
  return result;
}

function setAmount(result: Resources, name: string, text: string): void {
  if (name === 'cpu') result.milliCpu = quantityMilliValue(text);
  else if (name === 'memory') result.memory = quantityValue(text);
  else if (name === 'ephemeral-storage') result.ephemeralStorage = quantityValue(text);
  else if (name !== 'pods') {
    result.scalars ??= new Map();
    result.scalars.set(name, quantityValue(text));
  }
}

/** Adds `sign` times `more` to `sum` in place. */
export function addResources(sum: Resources, more: Resources, sign: 1 | -1): void {
  sum.milliCpu += sign * more.milliCpu;
  sum.memory += sign * more.memory;
  sum.ephemeralStorage += sign * more.ephemeralStorage;
  if (more.scalars === undefined) return;
  sum.scalars ??= new Map();
  for (const [name, amount] of more.scalars) {
    const total = (sum.scalars.get(name) ?? 0) + sign * amount;
    if (total === 0) sum.scalars.delete(name);
    else sum.scalars.set(name, total);
  }
}

function raiseTo(result: Resources, other: Resources): void {
  result.milliCpu = Math.max(result.milliCpu, other.milliCpu);
  result.memory = Math.max(result.memory, other.memory);
  result.ephemeralStorage = Math.max(result.ephemeralStorage, other.ephemeralStorage);
  for (const [name, amount] of other.scalars ?? []) {
    result.scalars ??= new Map();
    result.scalars.set(name, Math.max(result.scalars.get(name) ?? 0, amount));
  }
}

export const copyResources = (resources: Resources): Resources => ({
  milliCpu: resources.milliCpu,
  memory: resources.memory,
  ephemeralStorage: resources.ephemeralStorage,
  scalars: resources.scalars === undefined ? undefined : new Map(resources.scalars),
});

/**
 * What a pod asks for: containers and sidecars together, or the largest init container with the sidecars before it, whichever is more;
 * pod-level requests replace the containers' sum; then the overhead. Source: resourcehelper.PodRequests.
 * @param nonZero - Count containers without a cpu or memory request as if they had a small one.
 */
export function podRequests(pod: Pod, nonZero: boolean): Resources {
  const { spec } = pod;
  const sum = noResources();
  for (const container of spec.containers ?? []) {
    addResources(sum, requestsOf(pod, container.name, container.resources?.requests, nonZero), 1);
  }
  const sidecars = noResources();
  const initial = noResources();
  for (const container of spec.initContainers ?? []) {
    const wanted = requestsOf(pod, container.name, container.resources?.requests, nonZero);
    if (container.restartPolicy === 'Always') {
      addResources(sum, wanted, 1);
      addResources(sidecars, wanted, 1);
      raiseTo(initial, sidecars);
    } else {
      addResources(wanted, sidecars, 1);
      raiseTo(initial, wanted);
    }
  }
  raiseTo(sum, initial);
  for (const [name, text] of Object.entries(spec.resources?.requests ?? {})) setAmount(sum, name, text);
  if (spec.overhead !== undefined) addResources(sum, resourcesOf(spec.overhead), 1);
  return sum;
}

/**
 * While a container is resized, the largest of what it wants, what it was given, and what it has; what cannot be given does not count.
 * Source: resourcehelper.determineContainerReqs.
 */
function requestsOf(pod: Pod, name: string, requests: Amounts, nonZero: boolean): Resources {
  let wanted = resourcesOf(requests);
  const known = pod.status === undefined ? undefined : statusOf(pod, name);
  if (known?.resources !== undefined) {
    if (isResizeInfeasible(pod)) wanted = noResources();
    raiseTo(wanted, resourcesOf(known.resources.requests));
    raiseTo(wanted, resourcesOf(known.allocatedResources));
  }
  if (nonZero) {
    if (requests?.['cpu'] === undefined) wanted.milliCpu = DEFAULT_MILLI_CPU;
    if (requests?.['memory'] === undefined) wanted.memory = DEFAULT_MEMORY;
  }
  return wanted;
}

const statusOf = ({ status }: Pod, name: string): ContainerStatus | undefined =>
  status?.containerStatuses?.find((candidate) => candidate.name === name) ??
  status?.initContainerStatuses?.find((candidate) => candidate.name === name);

const isResizeInfeasible = ({ status }: Pod): boolean =>
  (status?.conditions ?? []).some(({ type, reason }) => type === 'PodResizePending' && reason === 'Infeasible');
