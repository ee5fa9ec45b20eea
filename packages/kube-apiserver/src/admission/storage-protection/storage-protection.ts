import type { AdmissionPlugin } from '@orrery/apiserver';
import { isFor } from '../refusal.ts';

const finalizers: Readonly<Record<string, string>> = {
  persistentvolumeclaims: 'kubernetes.io/pvc-protection',
  persistentvolumes: 'kubernetes.io/pv-protection',
};

/** Claims and volumes stay while they are in use: controllers take the finalizer away afterwards. Source: StorageObjectInUseProtection. */
export const storageProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  admit(draft, attributes) {
    const { resource } = attributes.definition;
    const finalizer = finalizers[resource];
    if (draft === undefined || finalizer === undefined || !isFor(attributes, resource) || attributes.operation !== 'CREATE') return;
    const present = draft.metadata.finalizers ?? [];
    if (!present.includes(finalizer)) draft.metadata.finalizers = [...present, finalizer];
  },
};
