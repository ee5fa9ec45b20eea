import { type ChildProcess, spawn } from 'node:child_process';
import { sealedStdio } from '@orrery/base';

export interface Finished {
  /** 128 + signal number when a signal ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const OUTPUT_BYTES_MAX = 1024 * 1024;

/** Runs a short command to its end. Never throws: a program that does not exist ends with 127. */
export function run(
  file: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Finished> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { ...options, stdio: sealedStdio(['ignore', 'pipe', 'pipe']) });
    const texts = [collect(child, 'stdout'), collect(child, 'stderr')] as const;
    child.once('error', (cause) => resolve({ code: 127, stdout: '', stderr: cause.message }));
    child.once('close', (code, signal) =>
      resolve({ code: code ?? 128 + (signal === 'SIGKILL' ? 9 : 15), stdout: texts[0](), stderr: texts[1]() }),
    );
  });
}

function collect(child: ChildProcess, name: 'stdout' | 'stderr'): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  child[name]?.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= OUTPUT_BYTES_MAX) chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString();
}

/** A word as a POSIX shell reads it back. */
export const shellQuote = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
