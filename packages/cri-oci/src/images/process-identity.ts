import { readFileSync } from 'node:fs';
import { isErrno } from './files.ts';

/** Names one run of one process on this machine: pids are used again, this is not. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks from boot to its start. */
  readonly startTicks: string;
  readonly bootId: string;
}

let ownBootId: string | undefined; // Constant for the life of the process.

/** Changes with every start of the machine. */
export function bootId(): string {
  ownBootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return ownBootId;
}

function startTicksOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]; // Field 22; the name before it may hold blanks.
  } catch (err) {
    if (isErrno(err, 'ENOENT', 'ESRCH')) return undefined;
    throw err;
  }
}

export const ownIdentity = (): ProcessIdentity => ({ pid: process.pid, startTicks: startTicksOf(process.pid) ?? '', bootId: bootId() });

/** Whether that very process still runs. */
export const isAlive = (identity: ProcessIdentity): boolean =>
  identity.bootId === bootId() && startTicksOf(identity.pid) === identity.startTicks;
