import { isDeepStrictEqual } from 'node:util';
import type { PodCondition, PodStatus } from '@orrery/api/core/v1';
import { DISRUPTION_TARGET, isKubeletCondition } from './conditions.ts';

/** Fields that others write: never taken away here. */
const foreign: ReadonlySet<string> = new Set([
  'qosClass',
  'nominatedNodeName',
  'resourceClaimStatuses',
  'extendedResourceClaimStatus',
  'nodeAllocatableResourceClaimStatuses',
  'resize',
  'resources',
  'allocatedResources',
]);

/** Lists that a strategic merge patch merges by address: what is no longer there must be named. */
function addressPatch(
  before: readonly { readonly ip?: string }[] | undefined,
  after: readonly { readonly ip?: string }[],
): readonly object[] {
  const gone = (before ?? []).filter(({ ip }) => !after.some((entry) => entry.ip === ip));
  return [...after, ...gone.map(({ ip }) => ({ $patch: 'delete', ip }))];
}

/** Conditions merge by type and field by field: what is no longer said must be named. */
function conditionsPatch(before: readonly PodCondition[], after: readonly PodCondition[]): readonly object[] {
  const dropped = before.filter(({ type }) => isKubeletCondition(type) && !after.some((condition) => condition.type === type));
  const kept = after
    .filter(({ type }) => isKubeletCondition(type) || type === DISRUPTION_TARGET)
    .map((condition) => {
      const old = before.find(({ type }) => type === condition.type) ?? {};
      const gone = Object.keys(old).filter((field) => condition[field as keyof PodCondition] === undefined);
      return { ...condition, ...Object.fromEntries(gone.map((field) => [field, null])) };
    });
  return [...kept, ...dropped.map(({ type }) => ({ $patch: 'delete', type }))];
}

/** The strategic merge patch that turns what the kubelet owns of `before` into `after`. */
export function statusPatch(before: PodStatus, after: PodStatus): object {
  const patch: Record<string, unknown> = {};
  for (const field of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [old, now] = [before[field as keyof PodStatus], after[field as keyof PodStatus]];
    if (now === undefined) {
      if (!foreign.has(field) && field !== 'conditions') patch[field] = null;
    } else if (!isDeepStrictEqual(old, now)) {
      patch[field] = now;
    }
  }
  if (patch['conditions'] !== undefined) patch['conditions'] = conditionsPatch(before.conditions ?? [], after.conditions ?? []);
  if (patch['podIPs'] !== undefined && patch['podIPs'] !== null) patch['podIPs'] = addressPatch(before.podIPs, after.podIPs ?? []);
  if (patch['hostIPs'] !== undefined && patch['hostIPs'] !== null) patch['hostIPs'] = addressPatch(before.hostIPs, after.hostIPs ?? []);
  return patch;
}
