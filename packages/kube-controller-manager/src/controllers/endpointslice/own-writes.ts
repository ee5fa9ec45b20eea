import type { EndpointSlice } from '@orrery/api/discovery/v1';
import type { Informer } from '@orrery/client';

/**
 * Knows whether the informer has shown the slices that were written for a service: planning with older ones would write them twice.
 * Versions of one server may be compared (KEP-5504); a deletion tells none, so deleted slices are remembered until they are gone.
 */
export interface OwnWrites {
  wrote(key: string, slice: EndpointSlice): void;
  deleted(slice: EndpointSlice): void;
  /** Some write for the service of this key does not show yet. */
  isStale(key: string): boolean;
  /** Whether we have deleted it. */
  isDeleted(slice: EndpointSlice): boolean;
  forget(key: string): void;
}

export function newOwnWrites(informer: Informer<EndpointSlice>): OwnWrites {
  const written = new Map<string, string>(); // Service to the newest version that was written for it.
  const deleted = new Set<string>(); // Uids. Invariant: the informer holds each of them.
  const isNewer = (a: string, b: string): boolean => a.length > b.length || (a.length === b.length && a > b);
  informer.addHandler({ onDelete: ({ metadata }) => void deleted.delete(metadata.uid) });
  return {
    wrote(key, { metadata: { resourceVersion = '' } }) {
      if (isNewer(resourceVersion, written.get(key) ?? '')) written.set(key, resourceVersion);
    },
    deleted({ metadata }) {
      if (informer.lister.get(metadata)?.metadata.uid === metadata.uid) deleted.add(metadata.uid);
    },
    isStale(key) {
      const version = written.get(key);
      if (version === undefined) return false;
      if (isNewer(version, informer.resourceVersion)) return true;
      written.delete(key);
      return false;
    },
    isDeleted: ({ metadata }) => deleted.has(metadata.uid),
    forget: (key) => void written.delete(key),
  };
}
