import { apiVersionOf, type GroupVersionKind, type KubeObject, type OwnerReference } from '@orrery/apimachinery';

type Owned = Pick<KubeObject, 'metadata'>;

/** The owner that manages `object`: its one owner reference with `controller: true`. */
export function controllerRef(object: Owned): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((reference) => reference.controller === true);
}

/** Whether `owner` manages `object`. By uid: an owner made again under the same name does not. */
export function isControlledBy(object: Owned, owner: Owned): boolean {
  return controllerRef(object)?.uid === owner.metadata.uid;
}

/** The reference that makes `owner` manage an object; the garbage collector keeps `owner` until that object is gone (foreground). */
export function newControllerRef(owner: Owned, kind: GroupVersionKind): OwnerReference {
  return { ...newOwnerRef(owner, kind), controller: true, blockOwnerDeletion: true };
}

/** A plain owner reference: the object is collected with `owner`, nothing more. */
export function newOwnerRef(owner: Owned, kind: GroupVersionKind): OwnerReference {
  return { apiVersion: apiVersionOf(kind), kind: kind.kind, name: owner.metadata.name, uid: owner.metadata.uid };
}

/** Index name for {@link byControllerUid}. */
export const controllerUidIndex = 'controllerUid';

/** Index function: objects by the uid of the owner that manages them. Objects without one are found under the empty string, for adoption. */
export const byControllerUid = (object: Owned): string => controllerRef(object)?.uid ?? '';
