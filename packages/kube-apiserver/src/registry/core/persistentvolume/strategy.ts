import type { PersistentVolume } from '@orrery/api/core/v1';
import type { Draft } from '@orrery/apimachinery';
import type { PartialUpdate, Strategy } from '@orrery/apiserver';
import { ensure, fill } from '../../defaulting.ts';
import { validatePersistentVolume, validatePersistentVolumeUpdate } from './validation.ts';

export const persistentVolumeStrategy: Strategy<PersistentVolume> = {
  returnsDeletedObject: true,
  generation: 'none',
  default: defaultPersistentVolume,
  prepareForCreate(draft, { now }) {
    draft.status = { phase: 'Pending', lastPhaseTransitionTime: now };
  },
  validate: validatePersistentVolume,
  validateUpdate: (next, old) => [...validatePersistentVolume(next), ...validatePersistentVolumeUpdate(next, old)],
};

export const persistentVolumeStatus: PartialUpdate<PersistentVolume> = {
  default: defaultPersistentVolume,
  prepareForUpdate(draft, old, { now }) {
    const status = ensure(draft, 'status');
    if (status.phase !== old.status?.phase && status.lastPhaseTransitionTime === old.status?.lastPhaseTransitionTime) {
      draft.status = { ...status, lastPhaseTransitionTime: now };
    }
  },
};

/** Source: SetDefaults_PersistentVolume. */
function defaultPersistentVolume(draft: Draft<PersistentVolume>): void {
  fill(ensure(draft, 'status'), 'phase', 'Pending');
  const spec = ensure(draft, 'spec');
  fill(spec, 'persistentVolumeReclaimPolicy', 'Retain');
  fill(spec, 'volumeMode', 'Filesystem');
  if (spec.hostPath) spec.hostPath.type ??= '';
}
