import { execFileSync } from 'node:child_process';

/** Calls by which the writing process changes its files. */
const writingCalls = ['pwrite64', 'pwritev', 'pwritev2', 'fdatasync', 'ftruncate'];

/** Command that runs another one and kills it, with SIGKILL, when one of its threads comes to its `count`-th (1-based) such call. */
export const killAtWritingCall = (count: number): readonly string[] => {
  const calls = writingCalls.join(',');
  return ['strace', '-f', '-qq', '-o', '/dev/null', '-e', `trace=${calls}`, '-e', `inject=${calls}:signal=SIGKILL:when=${count}`];
};

/** Why `killAtWritingCall` cannot be used here; undefined: it can. */
export function whyNoSystemCallKill(): string | undefined {
  try {
    execFileSync('strace', ['-qq', '-o', '/dev/null', '-e', 'trace=none', 'true'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'strace is missing, or may not trace';
  }
}
