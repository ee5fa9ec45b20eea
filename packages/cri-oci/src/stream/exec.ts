import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { anySignal, type Clock, sealedStdio } from '@orrery/base';
import { type ContainerStreams, type ExecSyncResponse, RuntimeError } from '@orrery/cri';
import type { Container } from '../container/container.ts';
import { startFailure } from '../container/failure.ts';
import { hideUnifiedCommand } from '../container/hide-unified.ts';
import { runtimeCommand } from '../container/launch.ts';
import type { Host } from '../host/host.ts';
import { shellQuote } from '../host/process.ts';
import type { OciProcess, OciSpec } from '../spec/oci.ts';
import { killExec } from './kill-exec.ts';
import { followSize, setTerminalSize } from './terminal.ts';

export interface ExecInput {
  readonly container: Container;
  readonly host: Host;
  readonly clock: Clock;
  readonly stateDirectory: string;
  readonly command: readonly string[];
}

const OUTPUT_BYTES_MAX = 16 * 1024 * 1024; // As upstream limits the output of one exec probe or hook.

/** Runs a command beside a container's own. Resolves with its exit code (128 + signal number when one ended it) after its output. */
export async function execInContainer(input: ExecInput, tty: boolean, streams: ContainerStreams, signal: AbortSignal): Promise<number> {
  const { container, command, host } = input;
  if (container.state !== 'CONTAINER_RUNNING')
    throw new RuntimeError('FAILED_PRECONDITION', `container "${container.record.id}" is not running`);
  if (command.length === 0 || command[0] === '') throw new RuntimeError('INVALID_ARGUMENT', 'exec: a command is required');
  if (tty && !host.script)
    throw new RuntimeError('UNIMPLEMENTED', 'exec with a terminal is not possible here: install util-linux (script)');
  signal.throwIfAborted();
  const directory = await mkdtemp(join(container.directory, 'exec-'));
  try {
    await writeProcess(directory, container.directory, command, tty);
    return await runExec(input, directory, tty, streams, signal);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** An exec has what the container has: user, environment, capabilities, filter. Only the command is its own. */
async function writeProcess(directory: string, containerDirectory: string, command: readonly string[], terminal: boolean): Promise<void> {
  const { process: own } = JSON.parse(await readFile(join(containerDirectory, 'config.json'), 'utf8')) as OciSpec;
  const env = terminal && !own.env.some((word) => word.startsWith('TERM=')) ? [...own.env, 'TERM=xterm'] : own.env;
  const process: OciProcess = { ...own, args: command, terminal, env };
  await writeFile(join(directory, 'process.json'), JSON.stringify(process), { mode: 0o600 });
}

async function runExec(
  { container, host, clock, stateDirectory, command }: ExecInput,
  directory: string,
  tty: boolean,
  { stdin, stdout, stderr, resize }: ContainerStreams,
  signal: AbortSignal,
): Promise<number> {
  const { id } = container.record;
  const pidFile = join(directory, 'pid');
  const logFile = join(directory, 'log');
  const files = ['--process', join(directory, 'process.json'), '--pid-file', pidFile];
  const argv = [...runtimeCommand(host, stateDirectory), '--log', logFile, 'exec', ...(tty ? ['--tty'] : []), ...files, id];
  const [file = '', ...rest] = wrapped(host, argv, tty);
  const child = spawn(file, rest, {
    cwd: directory,
    detached: true,
    env: { PATH: host.path, SHELL: '/bin/sh', TERM: 'xterm' },
    stdio: sealedStdio(['pipe', 'pipe', 'pipe']),
  });
  const over = new AbortController();
  const kill = (): void => void killExec({ pidFile, runtimePid: child.pid ?? 0, clock, over: over.signal });
  signal.addEventListener('abort', kill, { once: true });
  try {
    if (child.stdin !== null) feed(child.stdin, stdin, tty);
    if (tty && resize !== undefined)
      void followSize(resize, (columns, rows) => setTerminalSize({ pidFile, clock, columns, rows, signal: over.signal }));
    const ended = new Promise<number>((resolve, reject) => {
      child.once('error', (cause) => reject(new RuntimeError('INTERNAL', `exec: ${cause.message}`, { cause })));
      child.once('exit', (code) => resolve(code ?? 137)); // Only SIGKILL ends a runtime; it turns the command's own signals into codes.
    });
    const [code] = await Promise.all([ended, drain(child.stdout, stdout), drain(child.stderr, stderr)]);
    signal.throwIfAborted();
    if (code !== 0) await refuseUnstarted(logFile, command[0] ?? '');
    return code;
  } finally {
    over.abort();
    signal.removeEventListener('abort', kill);
    if (stdin !== undefined && child.stdin !== null) stdin.unpipe(child.stdin);
  }
}

/** A terminal is `script`'s: the runtime passes on what is typed there. */
function wrapped(host: Host, argv: readonly string[], tty: boolean): readonly string[] {
  const plain = hideUnifiedCommand(host, argv);
  if (!tty) return plain;
  return [
    'script',
    '--quiet',
    '--return',
    '--flush',
    '--echo',
    'never',
    '--command',
    `exec ${plain.map(shellQuote).join(' ')}`,
    '/dev/null',
  ];
}

function feed(target: Writable, stdin: Readable | undefined, tty: boolean): void {
  target.on('error', () => undefined); // The command closed its input: it has what it wants.
  if (!tty) {
    if (stdin === undefined) target.end();
    else stdin.pipe(target);
    return;
  }
  // A terminal's input stays open: its end is typed.
  stdin?.pipe(target, { end: false });
  stdin?.once('end', () => target.write('\u0004'));
}

/** The runtime writes its own failures to its log; whether the command ever ran shows by them. */
async function refuseUnstarted(logFile: string, program: string): Promise<void> {
  const log = (await readFile(logFile, 'utf8').catch(() => '')).trim();
  const failed = /exec failed|executable file|OCI|no such file|permission denied|unable to start|exec format|chdir|cwd/i.test(log);
  if (!failed) return;
  throw new RuntimeError('INVALID_ARGUMENT', startFailure(log, program));
}

/** Copies until the source ends; waits for a slow reader, and reads on when the reader is gone so that the command can end. */
async function drain(source: Readable | null, target: Writable | undefined): Promise<void> {
  if (source === null) return;
  let open = target !== undefined;
  target?.once('close', () => (open = false)).once('error', () => (open = false));
  for await (const chunk of source as AsyncIterable<Buffer>) {
    if (!open || target === undefined || target.write(chunk)) continue;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        target.off('drain', done).off('close', done).off('error', done);
        resolve();
      };
      target.on('drain', done).on('close', done).on('error', done);
    });
  }
}

/** Runs a command and collects its output; `timeoutMs` 0 waits for ever. @throws {RuntimeError} `DEADLINE_EXCEEDED`. @throws AbortError; the command has ended. */
export async function execSync(input: ExecInput, timeoutMs: number, signal: AbortSignal | undefined): Promise<ExecSyncResponse> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const outputs = [collect(stdout), collect(stderr)] as const;
  const timeout = new AbortController();
  const timer = timeoutMs > 0 ? input.clock.after(timeoutMs, () => timeout.abort()) : undefined;
  using either = anySignal(signal, timeout.signal);
  try {
    const exitCode = await execInContainer(input, false, { stdout, stderr }, either.signal);
    stdout.end();
    stderr.end();
    const [out, err] = await Promise.all(outputs);
    return { exitCode, stdout: out, stderr: err };
  } catch (err) {
    if (!timeout.signal.aborted) throw err;
    throw new RuntimeError('DEADLINE_EXCEEDED', `command ${JSON.stringify(input.command.join(' '))} timed out after ${timeoutMs / 1000}s`, {
      cause: err,
    });
  } finally {
    timer?.cancel();
    stdout.destroy();
    stderr.destroy();
  }
}

async function collect(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on('data', (chunk: Buffer) => {
    if (size < OUTPUT_BYTES_MAX) chunks.push(chunk);
    size += chunk.length;
  });
  await new Promise<void>((resolve) => stream.once('end', resolve).once('close', resolve));
  return Buffer.concat(chunks);
}
