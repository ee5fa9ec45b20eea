import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

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
  /** It does not serve yet: it has no URL, and what it runs is not known. */
  readonly starting?: true;
}

/** Writes `content` so that a reader sees the old file or the whole new one, with mode 0600. */
export async function writePrivateFile(path: string, content: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, content, { mode: 0o600 });
  await chmod(temporary, 0o600); // The mode above does not change a file that a crash left behind.
  await rename(temporary, path);
}

export async function writeInstance(path: string, instance: Omit<Instance, 'startTicks'>): Promise<void> {
  const startTicks = await startTicksOf(instance.pid);
  await writePrivateFile(path, `${JSON.stringify({ ...instance, ...(startTicks === undefined ? {} : { startTicks }) }, null, 2)}\n`);
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
export const runningText = ({ url, pid, starting }: Instance): string =>
  starting === true ? `is already starting (pid ${pid})` : `is already running at ${url} (pid ${pid})`;

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
