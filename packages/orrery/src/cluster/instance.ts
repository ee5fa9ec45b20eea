import { chmod, link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock } from '@orrery/base';
import { orreryVersion } from '../version.ts';

/** The process that serves a cluster, as its `instance.json` says. */
export interface Instance {
  readonly pid: number;
  /** Start time of that process in clock ticks since boot (Linux), so that a reused pid is not taken for it. Absent elsewhere. */
  readonly startTicks?: string;
  readonly url: string;
  readonly version: string;
  /** RFC 3339. */
  readonly startedAt: string;
  readonly node: string;
  readonly runtime: string;
  /** What this machine cannot do, for people. */
  readonly notes: readonly string[];
  /** It does not serve yet, or only removes what a killed one left: it has no URL, and what it runs is not known. Absent: it serves. */
  readonly phase?: 'starting' | 'ending';
}

/** Of a process that does not serve. */
export const newInstance = (pid: number, phase: NonNullable<Instance['phase']>, clock: Clock): Instance => {
  const startedAt = new Date(clock.now()).toISOString();
  return { pid, url: '', version: orreryVersion, startedAt, node: '', runtime: '', notes: [], phase };
};

/** Writes `content` so that a reader sees the old file or the whole new one, with mode 0600. */
export async function writePrivateFile(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, content, { mode: 0o600 });
  await chmod(temporary, 0o600); // The mode above does not change a file that a crash left behind.
  await rename(temporary, path);
}

type NewInstance = Omit<Instance, 'startTicks'>;

/** For who has claimed it. */
export async function writeInstance(path: string, instance: NewInstance): Promise<void> {
  await writePrivateFile(path, await textOf(instance));
}

async function textOf(instance: NewInstance): Promise<string> {
  const startTicks = await startTicksOf(instance.pid);
  return `${JSON.stringify({ ...instance, ...(startTicks === undefined ? {} : { startTicks }) }, null, 2)}\n`;
}

/**
 * Makes a process the only one that may start or clean a cluster, until {@link removeInstance}. Of several that try at once one gets it:
 * a link is made or is there already. What a killed process left does not count.
 *
 * @returns the process that has it; undefined when it is now `instance`, or was already.
 */
export async function claimInstance(path: string, instance: NewInstance): Promise<Instance | undefined> {
  const own = `${path}.${process.pid}.claim`;
  await writePrivateFile(own, await textOf(instance));
  try {
    for (;;) {
      if (await linked(own, path)) return undefined;
      const holder = await runningInstance(path);
      if (holder === undefined) await removeStale(path);
      else return holder.pid === instance.pid ? undefined : holder;
    }
  } finally {
    await rm(own, { force: true });
  }
}

/** @returns false when `path` exists. */
async function linked(from: string, path: string): Promise<boolean> {
  try {
    await link(from, path);
    return true;
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw err;
  }
}

/** Another process may replace it between a look and a removal, so it is taken aside, looked at once more, and given back if it lives. */
async function removeStale(path: string): Promise<void> {
  const aside = `${path}.${process.pid}.stale`;
  try {
    await rename(path, aside);
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw err;
  }
  if ((await runningInstance(aside)) !== undefined) await linked(aside, path);
  await rm(aside, { force: true });
}

/** The instance that serves now, or is about to; undefined when none does, or when the one that did was killed. */
export async function runningInstance(path: string): Promise<Instance | undefined> {
  const instance = await readInstance(path);
  return instance !== undefined && (await isProcessAlive(instance)) ? instance : undefined;
}

/** True until the process of an instance is gone, also when it serves no more. */
export async function isProcessAlive({ pid, startTicks }: Instance): Promise<boolean> {
  if (!isAlive(pid)) return false;
  return startTicks === undefined || (await startTicksOf(pid)) === startTicks;
}

/** @param pid - Only if it is of this process. @default whosever it is */
export async function removeInstance(path: string, pid?: number): Promise<void> {
  if (pid === undefined || (await readInstance(path))?.pid === pid) await rm(path, { force: true });
}

/** Why nobody else can start it. */
export const runningText = ({ url, pid, phase }: Instance): string => {
  if (phase === 'ending') return `is being stopped (pid ${pid})`;
  return phase === 'starting' ? `is already starting (pid ${pid})` : `is already running at ${url} (pid ${pid})`;
};

async function readInstance(path: string): Promise<Instance | undefined> {
  try {
    const value = JSON.parse(await readFile(path, 'utf8')) as Partial<Instance>;
    if (!Number.isSafeInteger(value.pid) || typeof value.url !== 'string') return undefined;
    return { notes: [], ...value } as Instance; // Written before there were notes.
  } catch {
    return undefined; // Absent or half written: nobody serves by it.
  }
}

/** True while a process with this id exists, also one of another user. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (err) {
    return (err as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** When a process began, in clock ticks since boot; undefined when it is gone. */
export async function startTicksOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (stat === undefined) return undefined;
  // The command name, in parentheses, may hold spaces: fields are counted from the last parenthesis. Start time is field 22 of proc(5).
  const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return state === 'Z' ? undefined : rest[18];
}
