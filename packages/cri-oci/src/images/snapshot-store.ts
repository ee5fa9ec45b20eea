import { execFile } from 'node:child_process';
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { lstat, readdir, rm } from 'node:fs/promises';
import { release } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Random } from '@orrery/base';
import { RuntimeError } from '@orrery/cri';
import { isErrno, readJsonFile, replaceFile } from './files.ts';
import { giveTree } from './give-tree.ts';
import { emptyLayer, type LayerStore } from './layer-store.ts';
import type { ContainerSnapshot, SnapshotOptions } from './snapshots.ts';
import { isInitialUserNamespace } from './tar/unpack-layer.ts';

interface SnapshotRecord {
  /** Directories of layers, topmost first. */
  readonly lower: readonly string[];
  readonly readOnly: boolean;
  /** Every file has another owner than in the image: the writable layer holds the owners alone (metacopy). */
  readonly shifted?: boolean;
}

/** Root file systems of containers on top of layers. */
export interface SnapshotStore {
  prepare(id: string, layers: readonly string[], options: SnapshotOptions): Promise<ContainerSnapshot>;
  release(id: string): Promise<void>;
  ids(): readonly string[];
  usage(id: string): Promise<{ usedBytes: number; inodesUsed: number }>;
  /** Directories of layers that a snapshot stands on. */
  usedLayers(): ReadonlySet<string>;
  /** Waits until what was released is deleted. */
  settled(): Promise<void>;
}

const run = promisify(execFile);
const idPattern = /^[A-Za-z0-9][\w.-]{0,127}$/;
/** Owners are changed without copying content; each name of a file is one of its own then, so that none is changed twice. */
const shiftOptions = 'metacopy=on,index=off';
const mountOptionsMax = 4095; // One page for mount(2), with its end.

/** `volatile` (Linux 5.10) leaves out syncs: a writable layer never outlives the machine's run. */
function kernelOptions(): string {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  const volatile = major > 5 || (major === 5 && minor >= 10) ? ',volatile' : '';
  return isInitialUserNamespace() ? volatile : `${volatile},userxattr`;
}

export function newSnapshotStore(root: string, layerStore: LayerStore, random: Random): SnapshotStore {
  const directory = join(root, 'snapshots');
  const trash = join(root, 'trash');
  for (const path of [directory, trash]) mkdirSync(path, { recursive: true, mode: 0o700 });
  const extra = kernelOptions();
  const deletions = new Set<Promise<void>>();

  const pathOf = (id: string): string => {
    if (!idPattern.test(id)) throw new RuntimeError('INVALID_ARGUMENT', `container id ${JSON.stringify(id)} is no name of a directory`);
    return join(directory, id);
  };
  const recordOf = (id: string): SnapshotRecord | undefined => readJsonFile<SnapshotRecord>(join(pathOf(id), 'snapshot.json'));

  function describe(id: string, { lower, readOnly, shifted = false }: SnapshotRecord): ContainerSnapshot {
    const path = pathOf(id);
    const rootfs = join(path, 'rootfs');
    const [only] = lower;
    if (readOnly && !shifted && lower.length === 1 && only !== undefined) {
      return {
        rootfs,
        mount: { type: 'bind', source: join(layerStore.directory, only), options: 'bind,ro', directory: layerStore.directory },
      };
    }
    const upper = `,upperdir=../snapshots/${id}/upper,workdir=../snapshots/${id}/work${shifted ? `,${shiftOptions}` : ''}${extra}`;
    const options = `lowerdir=${lower.join(':')}${readOnly && !shifted ? '' : upper}${readOnly ? ',ro' : ''}`;
    if (options.length > mountOptionsMax)
      throw new RuntimeError('FAILED_PRECONDITION', `image has ${lower.length} layers, more than one mount can stack`);
    return {
      rootfs,
      mount: { type: 'overlay', source: 'overlay', options, directory: layerStore.directory },
      ...(readOnly ? {} : { upper: join(path, 'upper') }),
    };
  }

  /** Mounted for a moment, where nobody looks: only through the mount does a change of owner leave the content where it is. */
  async function shiftOwners(
    id: string,
    { lower }: SnapshotRecord,
    { uidMappings = [], gidMappings = [] }: SnapshotOptions,
  ): Promise<void> {
    const rootfs = join(pathOf(id), 'rootfs');
    const options = `lowerdir=${lower.join(':')},upperdir=../snapshots/${id}/upper,workdir=../snapshots/${id}/work,${shiftOptions}`;
    await run('mount', ['-t', 'overlay', '-o', options, 'overlay', rootfs], { cwd: layerStore.directory });
    try {
      await giveTree(rootfs, uidMappings, gidMappings);
    } finally {
      await run('umount', [rootfs]);
    }
  }

  /** The root directory's attributes come from the upper one. */
  function copyRootAttributes(top: string, upper: string): void {
    const { mode, uid, gid } = statSync(join(layerStore.directory, top));
    if (uid !== 0 || gid !== 0) chownSync(upper, uid, gid);
    chmodSync(upper, mode & 0o7777);
  }

  function discard(path: string): void {
    const away = join(trash, random.uuid());
    try {
      renameSync(path, away);
    } catch (err) {
      if (isErrno(err, 'ENOENT')) return;
      throw err;
    }
    const deletion = rm(away, { recursive: true, force: true }).finally(() => deletions.delete(deletion));
    deletion.catch(() => undefined); // The next start deletes what is left.
    deletions.add(deletion);
  }

  async function unmount(rootfs: string, path: string): Promise<void> {
    const inside = lstatSync(rootfs, { throwIfNoEntry: false });
    const outside = lstatSync(path, { throwIfNoEntry: false });
    if (inside === undefined || outside === undefined) return;
    if (inside.dev === outside.dev && (await readdir(rootfs)).length === 0) return;
    await run('umount', ['-R', '-l', rootfs]);
  }
  for (const name of readdirSync(trash)) discard(join(trash, name));

  return {
    async prepare(id, chainIds, options) {
      const present = recordOf(id);
      if (present !== undefined) return describe(id, present);
      const path = pathOf(id);
      const lower = chainIds.map((chainId) => layerStore.find(chainId)?.directory ?? missing(chainId)).reverse();
      const shifted = options.uidMappings !== undefined || options.gidMappings !== undefined;
      const record: SnapshotRecord = {
        lower: lower.length === 0 ? [emptyLayer] : lower,
        readOnly: options.readOnly === true,
        ...(shifted ? { shifted } : {}),
      };
      const writable = shifted || !record.readOnly;
      mkdirSync(path, { recursive: true, mode: 0o711 });
      for (const name of writable ? ['rootfs', 'upper', 'work'] : ['rootfs']) mkdirSync(join(path, name), { recursive: true, mode: 0o755 });
      if (writable) copyRootAttributes(record.lower[0] ?? emptyLayer, join(path, 'upper'));
      replaceFile(join(path, 'snapshot.json'), JSON.stringify(record), { durable: false });
      for (const chainId of chainIds) if (layerStore.find(chainId) === undefined) missing(chainId); // Removed meanwhile, before our record was seen.
      if (shifted) await shiftOwners(id, record, options);
      return describe(id, record);
    },
    async release(id) {
      const path = pathOf(id);
      await unmount(join(path, 'rootfs'), path);
      discard(path);
    },
    ids: () => readdirSync(directory),
    usage: (id) => treeUsage(join(pathOf(id), 'upper')),
    usedLayers: () => new Set(readdirSync(directory).flatMap((id) => recordOf(id)?.lower ?? [])),
    async settled() {
      await Promise.allSettled([...deletions]);
    },
  };
}

function missing(chainId: string): never {
  throw new RuntimeError('NOT_FOUND', `image layer ${chainId} not found`);
}

/** Allocated bytes and inodes of a tree; what vanishes meanwhile does not count. */
async function treeUsage(path: string): Promise<{ usedBytes: number; inodesUsed: number }> {
  const total = { usedBytes: 0, inodesUsed: 0 };
  const visit = async (at: string): Promise<void> => {
    try {
      const stat = await lstat(at);
      total.usedBytes += stat.blocks * 512;
      total.inodesUsed += 1;
      if (stat.isDirectory()) for (const name of await readdir(at)) await visit(join(at, name));
    } catch (err) {
      if (!isErrno(err, 'ENOENT', 'ENOTDIR')) throw err;
    }
  };
  await visit(path);
  return total;
}
