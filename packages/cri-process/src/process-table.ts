import { readdir, readFile } from 'node:fs/promises';
import { SUPERVISOR } from './scripts.ts';

/** Environment variable that marks every process of a container: children inherit it, also those that left its session. */
export const CONTAINER_MARK = 'ORRERY_CONTAINER_ID';

/** Start time of a process in clock ticks since boot, so that a reused pid is not taken for it; undefined when it does not run. */
export async function startTicks(pid: number): Promise<string | undefined> {
  const fields = await statFields(pid);
  return fields === undefined || fields[0] === 'Z' ? undefined : fields[19]; // Fields 3 (state) and 22 (start time) of proc(5).
}

/** What follows the command name in /proc/PID/stat: index 0 is field 3. */
async function statFields(pid: number | string): Promise<readonly string[] | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** Every process that carries the mark of `containerId`. Reads all of /proc: for stopping and cleaning up, not for loops. */
export async function markedProcesses(containerId: string): Promise<readonly number[]> {
  const mark = Buffer.from(`${CONTAINER_MARK}=${containerId}\0`);
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const marked = await Promise.all(pids.map(async (pid) => ((await environmentOf(pid))?.includes(mark) === true ? pid : 0)));
  return marked.filter((pid) => pid !== 0 && pid !== process.pid);
}

/** Kills every process of a container but its supervisor, which lives to write down the exit code. Returns how many there were. */
export async function killMarked(containerId: string): Promise<number> {
  const victims: number[] = [];
  for (const pid of await markedProcesses(containerId)) {
    const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (!commandLine.includes(`\0${SUPERVISOR}\0`)) victims.push(pid);
  }
  return victims.filter((pid) => signalProcess(pid, 'SIGKILL')).length;
}

const environmentOf = (pid: number): Promise<Buffer | undefined> => readFile(`/proc/${pid}/environ`).catch(() => undefined);

export interface Usage {
  readonly cpuMs: number;
  readonly memoryBytes: number;
}

const TICK_MS = 10; // USER_HZ is 100 on every Linux port.
const PAGE_BYTES = 4096;

/** CPU time and resident memory, summed by session: each supervisor leads one. One pass over /proc for all containers. */
export async function usageBySession(): Promise<ReadonlyMap<number, Usage>> {
  const sums = new Map<number, Usage>();
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  await Promise.all(
    pids.map(async (pid) => {
      const fields = await statFields(pid);
      if (fields === undefined) return;
      const session = Number(fields[3]);
      const { cpuMs, memoryBytes } = sums.get(session) ?? { cpuMs: 0, memoryBytes: 0 };
      const ticks = Number(fields[11]) + Number(fields[12]);
      sums.set(session, { cpuMs: cpuMs + ticks * TICK_MS, memoryBytes: memoryBytes + Number(fields[21]) * PAGE_BYTES });
    }),
  );
  return sums;
}

/** Sends a signal; false when the process is gone. */
export function signalProcess(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw err;
  }
}
