import type { Pod } from '@orrery/api/core/v1';
import type { Draft } from '@orrery/apimachinery';
import type { PartialUpdate } from '@orrery/apiserver';
import { asDraft } from '../../defaulting.ts';
import { firstOfMany } from '../../first-of-many.ts';
import { validatePodStatusUpdate } from './validate-status.ts';

/** `/status`: the node agent's view. Source: podStatusStrategy. */
export const podStatus: PartialUpdate<Pod> = {
  default(draft) {
    const { status = {} } = draft;
    const ips = firstOfMany(
      status.podIP,
      status.podIPs,
      ({ ip }) => ip,
      (ip) => ({ ip }),
    );
    if (ips !== undefined) draft.status = { ...status, podIP: ips.one, podIPs: ips.many };
  },
  prepareForUpdate(draft, old) {
    draft.spec = asDraft(old.spec);
    if (old.metadata.deletionTimestamp === undefined) delete draft.metadata.deletionTimestamp;
    if (old.metadata.ownerReferences === undefined) delete draft.metadata.ownerReferences;
    else draft.metadata.ownerReferences = asDraft(old.metadata.ownerReferences);
    draft.status ??= {};
    if (!draft.status.qosClass && old.status?.qosClass !== undefined) draft.status.qosClass = old.status.qosClass;
    keepObservedGenerations(draft, old);
  },
  validateUpdate: validatePodStatusUpdate,
};

/** A client that does not know `observedGeneration` must not clear it. */
function keepObservedGenerations({ status }: Draft<Pod>, old: Pod): void {
  if (!status.observedGeneration && old.status?.observedGeneration) status.observedGeneration = old.status.observedGeneration;
  const before = [...(old.status?.conditions ?? [])];
  status.conditions?.forEach((condition, index, list) => {
    const found = before.findIndex(({ type }) => type === condition.type);
    const [previous] = found < 0 ? [] : before.splice(found, 1);
    if (!condition.observedGeneration && previous?.observedGeneration) {
      list[index] = { ...condition, observedGeneration: previous.observedGeneration };
    }
  });
}
