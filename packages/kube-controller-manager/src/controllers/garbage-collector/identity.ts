import type { OwnerReference } from '@orrery/apimachinery';

/** What an owner reference says about its owner, without the flags. */
export interface Coordinates {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** An object as the owner graph knows it. */
export interface Identity extends Coordinates {
  /** Empty for cluster-scoped objects. Of an owner that is only known by a reference: the namespace of the dependent. */
  readonly namespace: string;
}

/** Whether `reference` names the object that `owner` says. */
export const matchesCoordinates = (reference: OwnerReference, owner: Coordinates): boolean =>
  reference.uid === owner.uid &&
  reference.name === owner.name &&
  reference.kind === owner.kind &&
  reference.apiVersion === owner.apiVersion;

export const identityOf = ({ apiVersion, kind, name, uid }: Coordinates, namespace: string): Identity => ({
  apiVersion,
  kind,
  name,
  uid,
  namespace,
});

export const sameIdentity = (a: Identity, b: Identity): boolean =>
  a.uid === b.uid && a.name === b.name && a.namespace === b.namespace && a.kind === b.kind && a.apiVersion === b.apiVersion;

/** For logs and events. Source: objectReference.String. */
export const describeIdentity = ({ apiVersion, kind, namespace, name, uid }: Identity): string =>
  `[${apiVersion}/${kind}, namespace: ${namespace}, name: ${name}, uid: ${uid}]`;

/** Kinds before namespaces, so that the order of kinds does not depend on their scope. */
export function compareIdentities(a: Identity, b: Identity): number {
  for (const field of ['kind', 'apiVersion', 'namespace', 'name', 'uid'] as const) {
    if (a[field] !== b[field]) return a[field] < b[field] ? -1 : 1;
  }
  return 0;
}
