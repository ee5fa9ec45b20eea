import { homedir } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { realClock, systemRandom } from '@orrery/base';
import type { CliContext } from './cli/command.ts';
import { pathsFrom } from './cli/paths.ts';
import { runCli } from './cli/run.ts';
import { STOP_KEEPING_PODS } from './cluster/stop.ts';

const context: CliContext = {
  paths: pathsFrom(process.env, homedir()),
  clock: realClock,
  random: systemRandom,
  out: { write: (text) => void process.stdout.write(text) },
  err: { write: (text) => void process.stderr.write(text), isTerminal: process.stderr.isTTY === true },
  ask,
  self: [process.execPath, ...process.execArgv, process.argv[1] ?? ''],
  env: process.env,
};

async function ask(question: string): Promise<string | undefined> {
  if (process.stdin.isTTY !== true) return undefined;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await terminal.question(question);
  } finally {
    terminal.close();
  }
}

/** The first signal asks to stop, a second one of the same kind ends at once. */
const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP', STOP_KEEPING_PODS] as const) {
  process.on(name, () => {
    if (stop.signal.aborted) process.exit(130);
    stop.abort(new Error(name));
  });
}
// A closed pipe (`orrery logs | head`) is the reader's wish to stop, not a fault.
process.stdout.on('error', (err: NodeJS.ErrnoException) => process.exit(err.code === 'EPIPE' ? 0 : 1));

void runCli(process.argv.slice(2), context, stop.signal).then((code) => {
  process.exitCode = code;
});
