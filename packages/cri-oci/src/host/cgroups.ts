import { readFileSync } from 'node:fs';
import { access, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@orrery/base';
import type { CgroupAbilities } from '../spec/resources.ts';

const ROOT = '/sys/fs/cgroup';

/** The machine's control groups: one tree on version 2, a tree per controller on version 1. */
export interface Cgroups {
  readonly abilities: CgroupAbilities;
  /** Version 1 controllers stand beside a version 2 tree: some runtimes refuse that. */
  readonly hybrid: boolean;
  /** A file of the group `path` (as `/a/b`), in the tree of `controller`; that is one and the same on version 2. */
  file(path: string, controller: string, name: string): string;
  /** Every process in the group, of the tree that all processes are in. Empty when the group does not exist. */
  processes(path: string): Promise<readonly number[]>;
  /** Kills all in the group until it is empty or `tries` rounds are over. */
  kill(path: string): Promise<void>;
  /** Removes the group in every tree, with those below it. False when something still is in it. */
  remove(path: string): Promise<boolean>;
  /** Removes the group where nothing is in it and no group below it. */
  removeEmpty(path: string): Promise<void>;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

const REMOVE_TRIES = 8;
const REMOVE_FIRST_DELAY_MS = 2; // Doubles: half a second in all. The kernel lets go of a dead process's group a moment later.
const KILL_ROUNDS = 20;

export async function openCgroups(clock: Clock): Promise<Cgroups> {
  const version = (await exists(`${ROOT}/cgroup.controllers`)) ? 2 : 1;
  const trees = version === 2 ? [''] : await controllersOfVersion1();
  const memory = trees.find((tree) => tree.split(',').includes('memory')) ?? 'memory';
  const hugetlb =
    version === 2
      ? (await readFile(`${ROOT}/cgroup.controllers`, 'utf8')).includes('hugetlb')
      : trees.some((tree) => tree.split(',').includes('hugetlb'));
  const swap = version === 2 ? await exists('/proc/swaps') : await exists(join(ROOT, memory, 'memory.memsw.limit_in_bytes'));
  const file = (path: string, controller: string, name: string): string =>
    join(ROOT, version === 2 ? '' : (trees.find((tree) => tree.split(',').includes(controller)) ?? controller), path, name);
  const processes = async (path: string): Promise<readonly number[]> => {
    const controller = version === 2 ? '' : (trees.find((tree) => tree.includes('pids')) ?? trees[0] ?? '');
    const text = await readFile(join(ROOT, controller, path, 'cgroup.procs'), 'utf8').catch(() => '');
    return text.split('\n').filter(Boolean).map(Number);
  };
  // Some runtimes also use the version 2 tree that stands beside version 1.
  const placesOf = (path: string): readonly string[] =>
    [...trees, ...(version === 1 ? ['unified'] : [])].map((tree) => join(ROOT, tree, path));
  return {
    abilities: { version, swap, hugetlb },
    hybrid: version === 1 && (await exists(`${ROOT}/unified/cgroup.controllers`)) && !(await exists(`${ROOT}/hugetlb`)),
    file,
    processes,
    async kill(path) {
      if (
        version === 2 &&
        (await writeFile(join(ROOT, path, 'cgroup.kill'), '1').then(
          () => true,
          () => false,
        ))
      )
        return;
      // Round after round, because what forks meanwhile is not in the list yet.
      for (let round = 0; round < KILL_ROUNDS; round += 1) {
        const pids = await processes(path);
        if (pids.length === 0) return;
        for (const pid of pids) signalProcess(pid, 9);
        await clock.sleep(1 + round);
      }
    },
    async remove(path) {
      if (path === '' || path === '/') return true;
      const places = placesOf(path);
      for (let tried = 0, delayMs = REMOVE_FIRST_DELAY_MS; ; tried += 1, delayMs *= 2) {
        const gone = await Promise.all(places.map(removeTree));
        if (gone.every(Boolean)) return true;
        if (tried === REMOVE_TRIES) return false;
        await clock.sleep(delayMs);
      }
    },
    async removeEmpty(path) {
      if (path !== '' && path !== '/') await Promise.all(placesOf(path).map((place) => rmdir(place).catch(() => undefined)));
    },
  };
}

/** Signals a process; false when it is gone. */
export function signalProcess(pid: number, signal: number | NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** The names of the mounted version 1 trees below the root, without the version 2 one. */
async function controllersOfVersion1(): Promise<readonly string[]> {
  const table = await readFile('/proc/self/mountinfo', 'utf8');
  const found = table
    .split('\n')
    .filter((line) => line.includes(' - cgroup '))
    .map((line) => line.split(' ')[4] ?? '')
    .filter((point) => point.startsWith(`${ROOT}/`))
    .map((point) => point.slice(ROOT.length + 1));
  return [...new Set(found)];
}

async function removeTree(path: string): Promise<boolean> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) return true;
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(path, entry.name));
  return rmdir(path).then(
    () => true,
    (err: NodeJS.ErrnoException) => err.code === 'ENOENT',
  );
}

/** Whether a process is in a group whose name holds `id`. Reads at once: the answer is needed before the next thing happens. */
export function isInCgroupOf(pid: number, id: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(id);
  } catch {
    return false;
  }
}
