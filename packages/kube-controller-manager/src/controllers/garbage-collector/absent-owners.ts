import type { Identity } from './identity.ts';

/** Owners that do not exist, as the server has told. A uid never comes back, so an entry never gets wrong. */
export interface AbsentOwners {
  add(owner: Identity): void;
  has(owner: Identity): boolean;
}

/** @param entriesMax - The least recently used go first. @default 500 as upstream */
export function newAbsentOwners(entriesMax = 500): AbsentOwners {
  const known = new Set<string>(); // In the order of use, oldest first.
  const touch = (key: string): void => {
    known.delete(key);
    known.add(key);
  };
  return {
    add(owner) {
      touch(keyOf(owner));
      if (known.size <= entriesMax) return;
      const [oldest] = known;
      if (oldest !== undefined) known.delete(oldest);
    },
    has(owner) {
      const key = keyOf(owner);
      if (!known.has(key)) return false;
      touch(key);
      return true;
    },
  };
}

const keyOf = ({ uid, apiVersion, kind, namespace, name }: Identity): string => `${uid} ${apiVersion} ${kind} ${namespace}/${name}`;
