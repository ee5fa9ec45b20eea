import type { Pod } from '@orrery/api/core/v1';
import { type FieldError, forbidden } from '@orrery/apimachinery';
import type { PartialUpdate } from '@orrery/apiserver';
import { asDraft } from '../../defaulting.ts';
import { fieldDiff } from '../../field-diff.ts';
import { semanticEqual } from '../../semantic-equal.ts';
import { defaultPod } from '../pod-spec/defaults.ts';
import { validatePod } from './validation.ts';

/** A pod that a node agent made from a file on its disk. */
const MIRROR = 'kubernetes.io/config.mirror';

/** `/ephemeralcontainers`: adds containers to a running pod, and does nothing else. */
export const podEphemeralContainers: PartialUpdate<Pod> = {
  default: defaultPod,
  prepareForUpdate(draft, old) {
    const added = draft.spec.ephemeralContainers;
    draft.spec = { ...asDraft(old.spec) };
    draft.status = asDraft(old.status);
    if (added === undefined) delete draft.spec.ephemeralContainers;
    else draft.spec.ephemeralContainers = added;
  },
  validateUpdate(next, old) {
    if (old.metadata.annotations?.[MIRROR] !== undefined) return [forbidden('', 'static pods do not support ephemeral containers')];
    return [...validatePod(next), ...validateKept(next, old)];
  },
};

function validateKept(next: Pod, old: Pod): FieldError[] {
  const field = 'spec.ephemeralContainers';
  const byName = new Map((next.spec.ephemeralContainers ?? []).map((container) => [container.name, container]));
  return (old.spec.ephemeralContainers ?? []).flatMap((container) => {
    const kept = byName.get(container.name);
    if (kept === undefined) return [forbidden(field, `existing ephemeral containers "${container.name}" may not be removed\n`)];
    if (semanticEqual(kept, container)) return [];
    return [forbidden(field, `existing ephemeral containers "${container.name}" may not be changed\n${fieldDiff(container, kept)}`)];
  });
}
