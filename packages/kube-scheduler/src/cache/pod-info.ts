import type { Pod } from '@orrery/api/core/v1';
import { keyOf } from '@orrery/apimachinery';
import { type AffinityTerm, type Labels, parseTerm, type WeightedTerm } from './affinity-term.ts';
import { type HostPort, hostPortsOf } from './host-ports.ts';
import { podRequests, type Resources } from './resources.ts';

/** A pod with everything the scheduler asks of it again and again, read once. Immutable. */
export interface PodInfo {
  readonly pod: Pod;
  /** `namespace/name`. */
  readonly key: string;
  readonly uid: string;
  readonly namespace: string;
  readonly labels: Labels;
  readonly priority: number;
  readonly isTerminating: boolean;
  readonly requests: Resources;
  /** As {@link requests}, but a container without a request counts a little. Used by scores only. */
  readonly nonZeroRequests: Resources;
  readonly hostPorts: readonly HostPort[];
  readonly requiredAffinity: readonly AffinityTerm[];
  readonly requiredAntiAffinity: readonly AffinityTerm[];
  readonly preferredAffinity: readonly WeightedTerm[];
  readonly preferredAntiAffinity: readonly WeightedTerm[];
  readonly hasAffinity: boolean;
}

const known = new WeakMap<Pod, PodInfo>();

/** Objects are immutable, so each is read once however often it is asked for. @throws StatusError for selectors that do not parse. */
export function podInfoOf(pod: Pod): PodInfo {
  let info = known.get(pod);
  if (info === undefined) {
    info = readPod(pod);
    known.set(pod, info);
  }
  return info;
}

function readPod(pod: Pod): PodInfo {
  const { metadata, spec } = pod;
  const affinity = spec.affinity?.podAffinity;
  const antiAffinity = spec.affinity?.podAntiAffinity;
  const requiredAffinity = (affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => parseTerm(pod, term));
  const requiredAntiAffinity = (antiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map((term) => parseTerm(pod, term));
  const weighted = (terms: typeof preferred): WeightedTerm[] =>
    terms.map(({ weight, podAffinityTerm }) => ({ weight, term: parseTerm(pod, podAffinityTerm) }));
  const preferred = affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  const preferredAffinity = weighted(preferred);
  const preferredAntiAffinity = weighted(antiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []);
  return {
    pod,
    key: keyOf(pod),
    uid: metadata.uid,
    namespace: metadata.namespace ?? '',
    labels: metadata.labels,
    priority: spec.priority ?? 0,
    isTerminating: metadata.deletionTimestamp !== undefined,
    requests: podRequests(pod, false),
    nonZeroRequests: podRequests(pod, true),
    hostPorts: hostPortsOf(pod),
    requiredAffinity,
    requiredAntiAffinity,
    preferredAffinity,
    preferredAntiAffinity,
    hasAffinity: requiredAffinity.length + requiredAntiAffinity.length + preferredAffinity.length + preferredAntiAffinity.length > 0,
  };
}

/** The pod as it will be once bound. */
export function assignedTo(info: PodInfo, nodeName: string): PodInfo {
  return { ...info, pod: { ...info.pod, spec: { ...info.pod.spec, nodeName } } };
}
