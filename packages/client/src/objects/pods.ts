import type { Pod, PodCondition } from '@orrery/api/core/v1';
import { findCondition } from './conditions.ts';

export const podReadyCondition = (pod: Pod): PodCondition | undefined => findCondition(pod.status?.conditions, 'Ready');

/** Whether the pod's condition `Ready` is `True`. */
export const isPodReady = (pod: Pod): boolean => podReadyCondition(pod)?.status === 'True';

/**
 * Milliseconds until the pod has been ready for `minReadySeconds`: 0 when it is available now, undefined when it is not ready.
 * @param minReadySeconds - At least 0.
 */
export function podAvailableInMs(pod: Pod, minReadySeconds: number, nowMs: number): number | undefined {
  const ready = podReadyCondition(pod);
  if (ready?.status !== 'True') return undefined;
  if (minReadySeconds === 0) return 0;
  const sinceMs = Date.parse(ready.lastTransitionTime ?? '');
  return Number.isNaN(sinceMs) ? undefined : Math.max(0, sinceMs + minReadySeconds * 1000 - nowMs);
}

/** Whether the pod has been ready for at least `minReadySeconds`. Source: podutil.IsPodAvailable. */
export const isPodAvailable = (pod: Pod, minReadySeconds: number, nowMs: number): boolean =>
  podAvailableInMs(pod, minReadySeconds, nowMs) === 0;

/** Whether the pod has run its course: phase `Succeeded` or `Failed`. Its containers never run again. */
export const isPodTerminal = (pod: Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';

/** Whether somebody asked for the pod's deletion. */
export const isPodTerminating = (pod: Pod): boolean => pod.metadata.deletionTimestamp !== undefined;

/** Whether the pod counts as a replica: neither over nor being deleted. Source: controller.IsPodActive. */
export const isPodActive = (pod: Pod): boolean => !isPodTerminal(pod) && !isPodTerminating(pod);

/** Index name for {@link byNodeName}. */
export const nodeNameIndex = 'nodeName';

/** Index function: pods by the node that they are bound to. Unbound pods are found under the empty string. */
export const byNodeName = (pod: Pod): string => pod.spec?.nodeName ?? '';
