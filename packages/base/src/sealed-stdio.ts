import type { IOType } from 'node:child_process';
import { openSync, readdirSync, readFileSync } from 'node:fs';

export type StdioSlot = IOType | 'ipc' | number | null;

const closeOnExec = 0o2000000; // O_CLOEXEC as /proc prints it, in octal.
let nullDevice: number | undefined; // Opened once for the process.

function isInherited(fd: number): boolean {
  try {
    const flags = /^flags:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & closeOnExec) === 0;
  } catch {
    return false; // Closed meanwhile: the one that listed the directory, for example.
  }
}

/** Descriptors from 3 on that a child would get because native code opened them without close-on-exec. Linux only; elsewhere none. */
function inheritedDescriptors(): number[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter((fd) => fd > 2 && isInherited(fd));
}

/**
 * `stdio` for `spawn`, extended so that the child gets no other descriptor of this process: those that native code left open for children
 * (LMDB does with its data file, which holds every secret) become the null device in the child. Call it right before `spawn`.
 */
export function sealedStdio(stdio: readonly StdioSlot[]): StdioSlot[] {
  const sealed = [...stdio];
  for (const fd of inheritedDescriptors()) {
    if (fd < stdio.length) continue;
    nullDevice ??= openSync('/dev/null', 'r+');
    while (sealed.length < fd) sealed.push('ignore'); // Leaves what is below as it is.
    sealed[fd] = nullDevice;
  }
  return sealed;
}
