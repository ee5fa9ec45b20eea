import { fstatSync } from 'node:fs';
import { homedir } from 'node:os';
import { createInterface } from 'node:readline/promises';
import { realClock, systemRandom } from '@orrery/base';
import type { CliContext } from './cli/command.ts';
import { fileOutput } from './cli/file-output.ts';
import { pathsFrom } from './cli/paths.ts';
import { runCli } from './cli/run.ts';
import { STOP_KEEPING_PODS } from './cluster/stop.ts';

/** Something that was to be written for the user is lost. */
let outputLost = false;
const isFile = (fd: number): boolean => fstatSync(fd).isFile();
const onOutputError = (err: NodeJS.ErrnoException): void => {
  if (!outputLost) context.err.write(`orrery: cannot write output: ${err.message}\n`);
  outputLost = true;
};

const context: CliContext = {
  paths: pathsFrom(process.env, homedir()),
  clock: realClock,
  random: systemRandom,
  out: { write: isFile(1) ? fileOutput(1, onOutputError) : (text) => void process.stdout.write(text) },
  // What cannot be written here can be told nowhere: a full disk must not end a cluster that logs to it.
  err: {
    write: isFile(2) ? fileOutput(2, () => undefined) : (text) => void process.stderr.write(text),
    isTerminal: process.stderr.isTTY === true,
  },
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
process.stderr.on('error', () => undefined); // Nobody reads it any more.

void runCli(process.argv.slice(2), context, stop.signal).then((code) => {
  process.exitCode = code === 0 && outputLost ? 1 : code;
});
