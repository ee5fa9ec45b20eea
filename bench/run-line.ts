import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Line, Samples } from './line.ts';
import { childEnvironment, endProcess, endStrays, spawnNode } from './processes.ts';

const CLEAN_UP_MS = 15_000; // After its time is over a run may clean up for so long.

export type Outcome = { readonly samples: Samples } | { readonly failure: string };

export interface RunOptions {
  readonly quick: boolean;
  /** What a child process runs. */
  readonly script: string;
  /** Where the measured process writes a CPU profile. */
  readonly profileDirectory: string | undefined;
}

/** One run of a line in a process of its own. Nothing of it is left when this resolves. */
export async function runLine(line: Line, { quick, script, profileDirectory }: RunOptions): Promise<Outcome> {
  const directory = await mkdtemp(join(tmpdir(), 'orrery-bench-'));
  const profile = profileDirectory === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDirectory}`];
  const args = [...profile, script, 'measure', line.name, directory, quick ? 'quick' : 'full'];
  const child = spawnNode(args, childEnvironment({ ORRERY_BENCH: directory, TMPDIR: directory }));
  let outcome: Outcome | undefined;
  child.on('message', (message) => {
    outcome = message as Outcome;
  });
  try {
    const exited = once(child, 'exit');
    const overdue = setTimeout(() => {
      outcome ??= { failure: `not done after ${line.timeoutMs} ms` };
      void endProcess(child, CLEAN_UP_MS);
    }, line.timeoutMs);
    const [code, signal] = (await exited) as [number | null, string | null];
    clearTimeout(overdue);
    outcome ??= { failure: `ended without an answer (${signal ?? `exit code ${code}`})` };
    const strays = await endStrays(directory);
    return strays.length === 0 ? outcome : { failure: `left processes behind: ${strays.join('; ')}` };
  } finally {
    await endProcess(child, CLEAN_UP_MS);
    await rm(directory, { recursive: true, force: true });
  }
}
