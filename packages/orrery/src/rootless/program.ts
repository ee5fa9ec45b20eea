import { spawn } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { sealedStdio } from '@orrery/base';

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Ordinary users often have no `sbin` in their PATH. */
const folders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** A PATH with the folders of system programs. */
export const programPath = (path: string | undefined): string =>
  [...new Set([...(path ?? '').split(delimiter), ...folders])].filter(Boolean).join(delimiter);

/** The first program of this name; undefined when there is none. */
export async function findProgram(name: string, path: string): Promise<string | undefined> {
  for (const folder of path.split(delimiter)) {
    const file = join(folder, name);
    const found = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return file;
  }
  return undefined;
}

/** Runs a program to its end, with `input` as its standard input. Never throws: what cannot be started has exit code 127. */
export function runProgram(argv: readonly string[], input = ''): Promise<Outcome> {
  const [file = '', ...args] = argv;
  return new Promise((resolve) => {
    const child = spawn(file, args, { stdio: sealedStdio(['pipe', 'pipe', 'pipe']), cwd: '/' });
    const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
    child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.stdin?.on('error', () => undefined); // It ended without reading: its exit code tells why.
    child.stdin?.end(input);
    child.once('error', (error) => resolve({ code: 127, stdout: '', stderr: error.message }));
    child.once('close', (code) => resolve({ code: code ?? 1, stdout: textOf(stdout), stderr: textOf(stderr) }));
  });
}

const textOf = (chunks: readonly Buffer[]): string => Buffer.concat(chunks).toString();
