import { access, mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { assert, type Clock } from '@orrery/base';
import type { CgroupHierarchy } from './hierarchy.ts';
import { type CgroupLimits, limitFiles } from './limits.ts';

/** What a group uses now. */
export interface CgroupUsage {
  readonly memoryBytes: number;
  /** Without the file pages that can go at once: what counts under pressure. */
  readonly workingSetBytes: number;
  readonly pids: number;
}

/** Control groups by path: `/a/b`, below every controller's directory. */
export interface CgroupTree {
  readonly version: 1 | 2;
  /**
   * Makes the group and those above it, with every controller on. False when some of it was there already.
   * @throws {Error} where that is not allowed.
   */
  ensure(path: string): Promise<boolean>;
  /** @throws {Error} with the file's name, when the kernel refuses a value. Files that the machine lacks are passed over. */
  limit(path: string, limits: CgroupLimits): Promise<void>;
  /** Names of the groups directly below; empty where there is no such group. */
  children(path: string): Promise<ReadonlySet<string>>;
  /** Whether there is such a group, under any controller. */
  has(path: string): Promise<boolean>;
  /** Kills what is in the group and below and removes all of it. @throws {Error} when something of it stays. */
  remove(path: string): Promise<void>;
  /** `undefined` where there is no such group. */
  usage(path: string): Promise<CgroupUsage | undefined>;
}

const REMOVE_TRIES = 40;
const REMOVE_WAIT_MS = 25; // The kernel lets go of a killed process's group with its last thread: 1 s in all.

const hasCode = (err: unknown, ...codes: readonly string[]): boolean =>
  err instanceof Error && codes.includes((err as NodeJS.ErrnoException).code ?? '');

async function readOr(path: string, otherwise: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (err) {
    if (hasCode(err, 'ENOENT', 'ENODEV', 'EOPNOTSUPP')) return otherwise;
    throw err;
  }
}

/** A file that the machine lacks is passed over: absent, or there and not to be read. */
async function writeTo(path: string, value: string): Promise<void> {
  try {
    await writeFile(path, value, { flag: 'r+' });
  } catch (err) {
    if (hasCode(err, 'ENOENT')) return;
    if (!hasCode(err, 'ENODEV', 'EOPNOTSUPP') || (await readOr(path, 'absent')) !== 'absent') throw err;
  }
}

async function subgroups(directory: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (err) {
    if (hasCode(err, 'ENOENT', 'ENOTDIR')) return [];
    throw err;
  }
}

/** A new group of version 1's cpuset takes no process before it has cpus and memory nodes: it gets its parent's. */
async function inheritCpuset(directory: string): Promise<void> {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    if ((await readOr(join(directory, file), '-')) !== '') continue;
    await writeFile(join(directory, file), await readOr(join(dirname(directory), file), ''));
  }
}

async function enableControllers(directory: string): Promise<void> {
  const available = (await readOr(join(directory, 'cgroup.controllers'), '')).split(' ').filter((name) => name !== '');
  const enabled = new Set((await readOr(join(directory, 'cgroup.subtree_control'), '')).split(' '));
  const missing = available.filter((name) => !enabled.has(name)).map((name) => `+${name}`);
  if (missing.length > 0) await writeFile(join(directory, 'cgroup.subtree_control'), missing.join(' '));
}

async function killAll(directory: string): Promise<void> {
  for (const pid of (await readOr(join(directory, 'cgroup.procs'), '')).split('\n')) {
    if (pid === '' || pid === '0') continue; // 0: a process of another pid namespace, not ours to name.
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch (err) {
      if (!hasCode(err, 'ESRCH')) throw err;
    }
  }
  for (const name of await subgroups(directory)) await killAll(join(directory, name));
}

async function removeDirectories(directory: string): Promise<void> {
  for (const name of await subgroups(directory)) await removeDirectories(join(directory, name));
  try {
    await rmdir(directory);
  } catch (err) {
    if (!hasCode(err, 'ENOENT')) throw err;
  }
}

export function newCgroupTree({ version, mounts }: CgroupHierarchy, clock: Clock): CgroupTree {
  const directories = [...new Set(mounts.values())];
  const inside = (controller: string, path: string): string | undefined => {
    const mount = mounts.get(version === 2 ? '' : controller);
    return mount === undefined ? undefined : join(mount, path);
  };

  const ready = new Set<string>(); // Directories in which groups can be made at once: there, with every controller on.

  /** False when it was there already. */
  async function makeIn(parent: string, name: string): Promise<boolean> {
    if (version === 2 && !ready.has(parent)) await enableControllers(parent);
    try {
      await mkdir(join(parent, name));
      return true;
    } catch (err) {
      if (!hasCode(err, 'EEXIST')) throw err;
      return false;
    }
  }

  async function ensureIn(mount: string, names: readonly string[], isCpuset: boolean): Promise<boolean> {
    let made = true;
    let directory = mount;
    for (const name of names) {
      made = await makeIn(directory, name);
      ready.add(directory);
      directory = join(directory, name);
      if (isCpuset) await inheritCpuset(directory);
    }
    return made;
  }

  /** The groups above are many pods' and seldom missing. */
  async function ensureLeaf(mount: string, names: readonly string[], isCpuset: boolean): Promise<boolean> {
    const parent = join(mount, ...names.slice(0, -1));
    if (!ready.has(parent)) return await ensureIn(mount, names, isCpuset);
    try {
      const made = await makeIn(parent, names.at(-1) ?? '');
      if (isCpuset) await inheritCpuset(join(parent, names.at(-1) ?? ''));
      return made;
    } catch (err) {
      if (!hasCode(err, 'ENOENT')) throw err;
      ready.clear(); // Somebody took it away.
      return await ensureIn(mount, names, isCpuset);
    }
  }

  async function removeIn(directory: string): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        await killAll(directory);
        await removeDirectories(directory);
        return;
      } catch (err) {
        if (tries === REMOVE_TRIES || !hasCode(err, 'EBUSY', 'ENOTEMPTY')) throw err;
        await clock.sleep(REMOVE_WAIT_MS);
      }
    }
  }

  async function inactiveFile(path: string): Promise<number> {
    const stat = await readOr(join(inside('memory', path) ?? '', 'memory.stat'), '');
    const line = version === 1 ? /^total_inactive_file (\d+)$/m : /^inactive_file (\d+)$/m;
    return Number(line.exec(stat)?.[1] ?? 0);
  }

  return {
    version,
    async ensure(path) {
      const names = path.split('/').filter((name) => name !== '');
      const made = await Promise.all(directories.map((mount) => ensureLeaf(mount, names, mount === mounts.get('cpuset'))));
      return made.every(Boolean);
    },
    async limit(path, limits) {
      for (const { controller, file, value } of limitFiles(version, limits)) {
        const directory = inside(controller, path);
        if (directory === undefined) continue;
        await writeTo(join(directory, file), value);
      }
    },
    async children(path) {
      const found = await Promise.all(directories.map((mount) => subgroups(join(mount, path))));
      return new Set(found.flat());
    },
    async has(path) {
      const found = await Promise.all(
        directories.map((mount) =>
          access(join(mount, path)).then(
            () => true,
            () => false,
          ),
        ),
      );
      return found.includes(true);
    },
    async remove(path) {
      for (const directory of ready) if (`${directory}/`.includes(`${path}/`)) ready.delete(directory);
      assert(/^\/[^/]/.test(path), 'only a group below the root is removed');
      const [first] = directories;
      await Promise.all(directories.map((mount) => removeIn(join(mount, path))));
      // Version 1: runtimes make groups in hierarchies beside ours, which lie next to them.
      if (version === 1 && first !== undefined) {
        for (const name of await subgroups(dirname(first))) {
          const other = join(dirname(first), name);
          if (!directories.includes(other)) await removeIn(join(other, path));
        }
      }
    },
    async usage(path) {
      const memory = inside('memory', path);
      if (memory === undefined) return undefined;
      const used = await readOr(join(memory, version === 1 ? 'memory.usage_in_bytes' : 'memory.current'), '');
      if (used === '') return undefined;
      const pids = await readOr(join(inside('pids', path) ?? memory, 'pids.current'), '0');
      const memoryBytes = Number(used);
      return { memoryBytes, workingSetBytes: Math.max(0, memoryBytes - (await inactiveFile(path))), pids: Number(pids) };
    },
  };
}
