import { spawn } from 'node:child_process';
import { sealedStdio } from '@orrery/base';

/** Bytes of a command's output that are kept. */
const OUTPUT_MAX = 16 * 1024 * 1024;

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly input?: string;
  readonly signal?: AbortSignal;
}

/**
 * Runs a program to its end.
 * @throws the system's error when it cannot be started: `ENOENT` when it is not installed. @throws AbortError
 */
export function runCommand(program: string, args: readonly string[], { input, signal }: CommandOptions = {}): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], {
      stdio: sealedStdio([input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe']),
      ...(signal === undefined ? {} : { signal }),
    });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]?.setEncoding('utf8').on('data', (text: string) => {
        if (output[name].length < OUTPUT_MAX) output[name] += text;
      });
    }
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? -1, ...output }));
    child.stdin?.on('error', () => undefined); // The program ended without reading: its exit code tells.
    child.stdin?.end(input);
  });
}
