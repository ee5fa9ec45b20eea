import { readFile } from 'node:fs/promises';
import { signalProcess } from './cgroups.ts';

const DEPTH_MAX = 64;

async function childrenOf(pid: number): Promise<readonly number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return text.split(' ').filter(Boolean).map(Number);
}

/** Kills a process and all that descend from it: each is stopped before its children are read, so that none escapes by forking. */
export async function killTree(pid: number, depth = 0): Promise<void> {
  if (!(pid > 1) || !signalProcess(pid, 'SIGSTOP') || depth > DEPTH_MAX) return;
  for (const child of await childrenOf(pid)) await killTree(child, depth + 1);
  signalProcess(pid, 'SIGKILL');
}
