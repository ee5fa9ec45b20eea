import { mkdir, open, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from '@orrery/api/core/v1';
import { newMutex } from '@orrery/base';
import type { IDMapping, UserNamespace } from '@orrery/cri';
import type { Directories } from '../volumes/directories.ts';

/** Ids of one pod, also their alignment. Source: KEP-127. */
export const IDS_PER_POD = 65_536;
const FILE = 'userns';

/** Gives pods with `hostUsers: false` ids of their own, kept in the pod's directory. */
export interface UserNamespaces {
  /** Learns what earlier pods hold. Once, before the first pod. */
  load(): Promise<void>;
  /** The pod's ids, new ones the first time. @throws {Error} when all are taken, or what is on disk is wrong. */
  of(pod: Pod): Promise<UserNamespace>;
  /** The pod is gone from the node. */
  release(uid: string): void;
}

interface SavedMapping {
  readonly hostId: number;
  readonly containerId: number;
  readonly length: number;
}

function parse(text: string): number {
  const { uidMappings, gidMappings } = JSON.parse(text) as Record<string, readonly SavedMapping[] | undefined>;
  const [uids, gids] = [uidMappings?.[0], gidMappings?.[0]];
  if (uids === undefined || uidMappings?.length !== 1) {
    throw new Error('invalid user namespace configuration: no more than one mapping allowed.');
  }
  if (gids === undefined || gidMappings?.length !== 1 || gids.hostId !== uids.hostId || gids.length !== uids.length) {
    throw new Error('invalid user namespace configuration: GID and UID mapping should be identical');
  }
  if (uids.containerId !== 0) throw new Error('invalid user namespace configuration: UID 0 must be mapped');
  if (uids.length !== IDS_PER_POD) throw new Error(`wrong user namespace length ${uids.length}`);
  if (uids.hostId % IDS_PER_POD !== 0) throw new Error(`wrong user namespace offset specified ${uids.hostId}`);
  return uids.hostId;
}

/** Written whole, and on disk before it is used: two pods must never share ids. */
async function save(directory: string, hostId: number): Promise<void> {
  const mapping: readonly SavedMapping[] = [{ hostId, containerId: 0, length: IDS_PER_POD }];
  await mkdir(directory, { recursive: true, mode: 0o750 });
  const path = join(directory, FILE);
  const file = await open(`${path}.new`, 'w', 0o600);
  try {
    await file.writeFile(JSON.stringify({ uidMappings: mapping, gidMappings: mapping }));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.new`, path);
}

/** @param firstId - Of the first pod: a multiple of 65536, above 0. @param podsMax - Pods that may hold ids at once. */
export function newUserNamespaces(
  directories: Directories,
  { firstId, podsMax }: { readonly firstId: number; readonly podsMax: number },
): UserNamespaces {
  const held = new Map<string, number>(); // First id by pod.
  const lock = newMutex();

  const saved = (uid: string): Promise<string> => readFile(join(directories.pod(uid), FILE), 'utf8').catch(() => '');

  function free(): number {
    const taken = new Set(held.values());
    for (let index = 0; index < podsMax; index += 1) {
      const id = firstId + index * IDS_PER_POD;
      if (!taken.has(id)) return id;
    }
    throw new Error('create user namespace: could not find an empty slot to allocate a user namespace');
  }

  async function allocate(uid: string): Promise<number> {
    const known = held.get(uid);
    if (known !== undefined) return known;
    const text = await saved(uid);
    const id = text === '' ? free() : parse(text);
    held.set(uid, id);
    try {
      if (text === '') await save(directories.pod(uid), id);
    } catch (err) {
      held.delete(uid);
      throw err;
    }
    return id;
  }

  return {
    async load() {
      for (const uid of await readdir(directories.pods).catch(() => [])) {
        const text = await saved(uid);
        if (text !== '') held.set(uid, parse(text));
      }
    },
    async of({ metadata }) {
      const hostId = await lock.run(() => allocate(metadata.uid));
      const ids: readonly IDMapping[] = [{ hostId, containerId: 0, length: IDS_PER_POD }];
      return { mode: 'POD', uids: ids, gids: ids };
    },
    release: (uid) => void held.delete(uid),
  };
}
