import type { KubeObject } from '@orrery/apimachinery';
import { controllerRef } from '@orrery/client';

/** Name of the index of objects by namespace and the uid of what manages them. */
export const ownerIndex = 'owner';
/** @param uid - Empty for orphans. */
export const ownerKey = (namespace: string, uid: string): string => `${namespace}/${uid}`;
/** Orphans are found too, for adoption. One function for all callers: an informer's index belongs to one. */
export const indexByOwner = (object: KubeObject): string => ownerKey(object.metadata.namespace ?? '', controllerRef(object)?.uid ?? '');
