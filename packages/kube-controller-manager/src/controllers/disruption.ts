import { pods as podResource } from '@orrery/api';
import type { Pod, PodCondition } from '@orrery/api/core/v1';
import { formatTime } from '@orrery/apimachinery';
import { type Client, findCondition } from '@orrery/client';

/** Why a pod is about to be deleted by no fault of its own. Source: KEP-3329. */
export interface Disruption {
  readonly reason: string;
  readonly message: string;
}

/** The pod's condition `DisruptionTarget`; its time stays when it was there. */
export function disruptionCondition({ metadata, status }: Pod, { reason, message }: Disruption, nowMs: number): PodCondition {
  const old = findCondition(status.conditions, 'DisruptionTarget');
  return {
    type: 'DisruptionTarget',
    status: 'True',
    reason,
    message,
    lastTransitionTime: old?.status === 'True' && old.lastTransitionTime !== undefined ? old.lastTransitionTime : formatTime(nowMs),
    ...(metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }),
  };
}

/** Merges into the status of this very pod: 409 when it was replaced under its name. */
export async function patchPodStatus(
  client: Pick<Client, 'patch'>,
  { metadata }: Pod,
  status: { readonly phase?: string; readonly conditions?: readonly PodCondition[] },
  signal: AbortSignal,
): Promise<void> {
  await client.patch(podResource, metadata, 'strategic', { metadata: { uid: metadata.uid }, status }, { subresource: 'status', signal });
}
