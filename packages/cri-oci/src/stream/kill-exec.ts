import { readFile } from 'node:fs/promises';
import type { Clock } from '@orrery/base';
import { killTree } from '../host/process-tree.ts';

export interface KillInput {
  /** Written by the runtime when the command is there. */
  readonly pidFile: string;
  readonly runtimePid: number;
  readonly clock: Clock;
  /** The runtime has ended: nothing is left to kill, and its numbers may be others'. */
  readonly over: AbortSignal;
}

const POLL_MS = 10;
const RUNTIME_MS = 5000; // It never comes to the command, or the command cannot be killed.

/**
 * Ends an exec, also one whose command is not there yet. Only the command is killed: the runtime then ends by itself and reaps it. Killed
 * first, it would leave the command to be reaped by the machine's first process, and the container could not end before that.
 */
export async function killExec({ pidFile, runtimePid, clock, over }: KillInput): Promise<void> {
  const untilMs = clock.monotonicMs() + RUNTIME_MS;
  let killed = 0;
  while (clock.monotonicMs() < untilMs) {
    const pid = Number(await readFile(pidFile, 'utf8').catch(() => ''));
    if (over.aborted) return;
    if (pid > 1 && pid !== killed) await killTree(pid);
    killed = pid;
    await clock.sleep(POLL_MS);
    if (over.aborted) return;
  }
  await killTree(runtimePid);
}
