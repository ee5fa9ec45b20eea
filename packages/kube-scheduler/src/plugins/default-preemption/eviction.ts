import { pods } from '@orrery/api';
import type { Pod, PodCondition } from '@orrery/api/core/v1';
import { formatTime, isNotFound } from '@orrery/apimachinery';
import type { PodInfo } from '../../cache/pod-info.ts';
import type { Handle } from '../../framework/handle.ts';
import type { Candidate } from './victims.ts';

/** Ends the victims and takes the nominations of less important pods back. Rejects with the first failure, having tried all. */
export async function evict(handle: Handle, pod: PodInfo, candidate: Candidate): Promise<void> {
  const results = await Promise.allSettled([
    ...candidate.victims.map((victim) => evictOne(handle, pod, victim, candidate.nodeName)),
    ...handle.nominator
      .on(candidate.nodeName)
      .filter(({ priority }) => priority < pod.priority)
      .map((other) => unnominate(handle, other)),
  ]);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

async function evictOne(handle: Handle, pod: PodInfo, victim: PodInfo, nodeName: string): Promise<void> {
  const waiting = handle.waiting.get(victim.uid);
  if (waiting === undefined) {
    const current = handle.pods.get(victim.key);
    if (current === undefined || current.metadata.uid !== victim.uid || current.metadata.deletionTimestamp !== undefined) return;
    if (!(await remove(handle, pod, current))) return;
  } else {
    waiting.reject('DefaultPreemption', 'preempted');
  }
  handle.events.event(victim.pod, 'Normal', 'Preempted', `Preempted by pod ${pod.uid} on node ${nodeName}`, {
    related: pod.pod,
    action: 'Preempting',
  });
}

/** False: it was gone already. */
async function remove({ client, clock }: Handle, pod: PodInfo, victim: Pod): Promise<boolean> {
  const condition: PodCondition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'PreemptionByScheduler',
    message: `${pod.pod.spec.schedulerName ?? ''}: preempting to accommodate a higher priority pod`,
    lastTransitionTime: formatTime(clock.now()),
  };
  const { uid, name, namespace } = victim.metadata;
  try {
    const patch = { metadata: { uid }, status: { conditions: [condition] } };
    await client.patch(pods, { name, namespace }, 'strategic', patch, { subresource: 'status' });
    await client.delete(pods, { name, namespace }, { preconditions: { uid } });
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

async function unnominate({ client, nominator }: Handle, { uid, pod }: PodInfo): Promise<void> {
  nominator.remove(uid);
  const { name, namespace } = pod.metadata;
  try {
    await client.patch(pods, { name, namespace }, 'merge', { status: { nominatedNodeName: null } }, { subresource: 'status' });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
