import type { PersistentVolumeClaim } from '@orrery/api/core/v1';
import type { Draft } from '@orrery/apimachinery';
import type { PartialUpdate, Strategy } from '@orrery/apiserver';
import { ensure, fill } from '../../defaulting.ts';
import { validateClaim, validateClaimStatusUpdate, validateClaimUpdate } from './validation.ts';

export const persistentVolumeClaimStrategy: Strategy<PersistentVolumeClaim> = {
  generation: 'none',
  returnsDeletedObject: true,
  default: defaultClaim,
  prepareForCreate(draft) {
    draft.status = { phase: 'Pending' };
    shareDataSource(draft);
  },
  prepareForUpdate: shareDataSource,
  validate: validateClaim,
  validateUpdate: (next, old) => [...validateClaim(next), ...validateClaimUpdate(next, old)],
};

export const persistentVolumeClaimStatus: PartialUpdate<PersistentVolumeClaim> = {
  default: defaultClaim,
  validateUpdate: validateClaimStatusUpdate,
};

/** Source: SetDefaults_PersistentVolumeClaim. */
function defaultClaim(draft: Draft<PersistentVolumeClaim>): void {
  fill(ensure(draft, 'status'), 'phase', 'Pending');
  fill(ensure(draft, 'spec'), 'volumeMode', 'Filesystem');
}

/** `dataSource` and `dataSourceRef` say the same where both can. Source: KEP-1495. */
function shareDataSource(draft: Draft<PersistentVolumeClaim>): void {
  const spec = ensure(draft, 'spec');
  const { dataSource, dataSourceRef } = spec;
  if (dataSource !== undefined && dataSourceRef === undefined) draft.spec = { ...spec, dataSourceRef: { ...dataSource } };
  else if (dataSource === undefined && dataSourceRef !== undefined && dataSourceRef.namespace === undefined) {
    draft.spec = { ...spec, dataSource: { ...dataSourceRef } };
  }
}
