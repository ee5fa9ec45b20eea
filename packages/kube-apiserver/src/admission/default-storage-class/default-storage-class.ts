import { storageClasses } from '@orrery/api';
import type { PersistentVolumeClaim } from '@orrery/api/core/v1';
import type { StorageClass } from '@orrery/api/storage/v1';
import type { Draft } from '@orrery/apimachinery';
import type { AdmissionPlugin } from '@orrery/apiserver';
import { isDefaultClass } from '../../registry/storage/storageclass/resource.ts';
import type { AdmissionContext } from '../context.ts';
import { isFor } from '../refusal.ts';

const betaClassAnnotation = 'volume.beta.kubernetes.io/storage-class';

/** Of several default classes the newest counts; of equally old ones the first by name. */
function newest(classes: readonly StorageClass[]): StorageClass | undefined {
  const created = ({ metadata }: StorageClass): string => metadata.creationTimestamp ?? '';
  return classes
    .filter(isDefaultClass)
    .sort((a, b) => created(b).localeCompare(created(a)) || (a.metadata.name ?? '').localeCompare(b.metadata.name ?? ''))[0];
}

/** Gives claims that name no class the default one; one that names the empty class wants none. Source: DefaultStorageClass. */
export function newDefaultStorageClass(context: AdmissionContext): AdmissionPlugin {
  return {
    name: 'DefaultStorageClass',
    async admit(draft, attributes) {
      if (draft === undefined || !isFor(attributes, 'persistentvolumeclaims') || attributes.operation !== 'CREATE') return;
      const claim = draft as Draft<PersistentVolumeClaim>;
      const chosen = claim.spec?.storageClassName !== undefined || claim.metadata.annotations?.[betaClassAnnotation] !== undefined;
      if (chosen) return;
      const { items } = await context.client().list(storageClasses);
      const found = newest(items);
      if (found === undefined) return;
      claim.spec = { ...claim.spec, storageClassName: found.metadata.name ?? '' };
    },
  };
}
