import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';

/** This process's environment without what would change what children measure or where they write. */
export function childEnvironment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const { NODE_EXTRA_CA_CERTS: _, NODE_OPTIONS: __, KUBECONFIG: ___, ...rest } = process.env;
  return { ...rest, ...extra };
}

/** Sends SIGTERM, then SIGKILL to the whole group when it does not end in time. */
export async function endProcess(child: ChildProcess, graceMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => killGroup(child), graceMs);
  await exited;
  clearTimeout(timer);
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code !== 'ESRCH') throw err;
  }
}

/** Starts node with arguments (its own first, then a script and its) as the head of a process group, with a channel for messages. */
export function spawnNode(args: readonly string[], environment: NodeJS.ProcessEnv): ChildProcess {
  return spawn(process.execPath, args, {
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: environment,
  });
}

/** Ends every process whose environment or command line names `marker`, a path that only one run knows. Returns their commands. */
export async function endStrays(marker: string): Promise<readonly string[]> {
  const ended: string[] = [];
  for (const pid of (await readdir('/proc').catch(() => [])).map(Number)) {
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const [environment, command] = await Promise.all(
      ['environ', 'cmdline'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')),
    );
    if (!environment?.includes(marker) && !command?.includes(marker)) continue;
    try {
      process.kill(pid, 'SIGKILL');
      ended.push((command ?? '').replaceAll('\0', ' ').trim());
    } catch (err) {
      if ((err as NodeJS.ErrnoException).code !== 'ESRCH') throw err;
    }
  }
  return ended;
}
