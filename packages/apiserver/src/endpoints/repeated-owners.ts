import type { Draft, KubeObject, OwnerReference } from '@orrery/apimachinery';
import { type WriteRequest, warn } from './write-request.ts';

/** Drops owner references that say the same as an earlier one, and warns. Source: dedupOwnerReferencesAndAddWarning. */
export function dropRepeatedOwners(request: WriteRequest, { metadata }: Draft<KubeObject>): void {
  const { ownerReferences = [] } = metadata;
  if (ownerReferences.length < 2) return;
  const seen = new Set<string>();
  const repeated = new Set<string>();
  const kept = ownerReferences.filter((owner) => {
    const text = identityOf(owner);
    if (seen.has(text)) repeated.add(owner.uid);
    else return seen.add(text);
    return false;
  });
  if (repeated.size === 0) return;
  metadata.ownerReferences = kept;
  warn(
    request,
    '.metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such ' +
      `requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${[...repeated].join(', ')}`,
  );
}

const identityOf = ({ apiVersion, kind, name, uid, controller, blockOwnerDeletion }: OwnerReference): string =>
  JSON.stringify([apiVersion, kind, name, uid, controller, blockOwnerDeletion]);
