import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { anySignal, realClock, sealedStdio } from '@orrery/base';
import { type ContainerStreams, type ExecSyncResponse, RuntimeError } from '@orrery/cri';
import type { Program } from './command.ts';
import type { Container } from './container.ts';
import { findProgram, type HostAbilities } from './host.ts';
import { terminalArguments } from './launch.ts';
import { signalProcess } from './process-table.ts';
import { ENTER_DIRECTORY } from './scripts.ts';

export interface ExecInput {
  readonly container: Container;
  /** The container's own program: an exec shares its environment and working directory. */
  readonly program: Program;
  readonly privileges: readonly string[];
  readonly command: readonly string[];
  readonly host: HostAbilities;
}

const OUTPUT_BYTES_MAX = 16 * 1024 * 1024; // As upstream limits the output of one exec probe or hook.

/** The command as it joins a running container: its namespaces and its view of the files, where it has one. */
async function execArguments({ container, program, privileges, command, host }: ExecInput): Promise<readonly [string, ...string[]]> {
  const { pid } = container;
  const [name = ''] = command;
  if (pid === undefined) throw new RuntimeError('FAILED_PRECONDITION', `container ${container.record.id} is not running`);
  if (name === '') throw new RuntimeError('INVALID_ARGUMENT', 'exec: a command is required');
  if (host.isolation === 'none') {
    await mustFind(name, program, '/');
    const [file = name, ...rest] = [...privileges, ...command];
    return [file, ...rest];
  }
  await mustFind(name, program, `/proc/${pid}/root`);
  const user = host.isolation === 'userns' ? ['--user', '--preserve-credentials'] : [];
  return [
    'nsenter',
    `--target=${pid}`,
    ...user,
    '--mount',
    '--root',
    '--wd',
    '--',
    '/bin/sh',
    '-c',
    ENTER_DIRECTORY,
    'sh',
    program.cwd,
    ...privileges,
    ...command,
  ];
}

/** @throws {RuntimeError} in the words that kubectl users know. */
async function mustFind(name: string, { env, cwd }: Program, root: string): Promise<void> {
  const inRoot = (path: string): string => (root === '/' ? path : `${root}${path}`);
  const path = (env['PATH'] ?? '').split(':').map(inRoot).join(':');
  const wanted = name.startsWith('/') ? inRoot(name) : name;
  if ((await findProgram(wanted, path, inRoot(cwd))) !== undefined) return;
  const reason = name.includes('/') ? 'no such file or directory' : 'executable file not found in $PATH';
  throw new RuntimeError('INVALID_ARGUMENT', `exec: ${JSON.stringify(name)}: ${reason}`);
}

/** Runs a command beside a container's own. Resolves with its exit code (128 + signal number when one ended it) after its output. */
export async function execInContainer(input: ExecInput, tty: boolean, streams: ContainerStreams, signal: AbortSignal): Promise<number> {
  const argv = await execArguments(input);
  return tty ? execWithTerminal(input, argv, streams, signal) : execWithPipes(argv, input.program, streams, signal);
}

async function execWithPipes(
  [file, ...rest]: readonly [string, ...string[]],
  { env, cwd }: Program,
  { stdin, stdout, stderr }: ContainerStreams,
  signal: AbortSignal,
): Promise<number> {
  signal.throwIfAborted();
  const child = spawn(file, rest, {
    env,
    cwd: file === 'nsenter' ? '/' : cwd,
    detached: true,
    stdio: sealedStdio([stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe']),
  });
  const abort = (): void => killSession(child.pid);
  signal.addEventListener('abort', abort, { once: true });
  try {
    if (stdin !== undefined && child.stdin !== null) {
      child.stdin.on('error', () => undefined); // The command closed its input: it has what it wants.
      stdin.pipe(child.stdin);
    }
    const ended = new Promise<number>((resolve, reject) => {
      child.once('error', (cause) => reject(new RuntimeError('INTERNAL', `exec: ${cause.message}`, { cause })));
      child.once('exit', (code, name) => resolve(code ?? exitCodeOf(name)));
    });
    const [code] = await Promise.all([ended, drain(child.stdout, stdout), drain(child.stderr, stderr)]);
    signal.throwIfAborted();
    return code;
  } finally {
    signal.removeEventListener('abort', abort);
    if (stdin !== undefined && child.stdin !== null) stdin.unpipe(child.stdin);
  }
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

/** A terminal of util-linux `script`, in a folder of its own below the container's: its path and the exit code come as files. */
async function execWithTerminal(
  { container, program, host }: ExecInput,
  argv: readonly string[],
  streams: ContainerStreams,
  signal: AbortSignal,
): Promise<number> {
  if (!host.terminals)
    throw new RuntimeError(
      'UNIMPLEMENTED',
      'exec with a terminal is not possible here: install util-linux (script, stty) and findutils (xargs)',
    );
  const directory = await mkdtemp(join(container.directory, 'exec-'));
  try {
    const [file = 'script', ...rest] = await terminalArguments(directory, argv);
    const env = { TERM: 'xterm', ...program.env, SHELL: '/bin/sh', ORRERY_ARGV: join(directory, 'argv') };
    const { stdin, stdout, resize } = streams;
    if (resize !== undefined) void followSize(resize, (columns, rows) => setTerminalSize(directory, columns, rows));
    // Input always stays open: a terminal's end is typed.
    const never = new PassThrough();
    stdin?.pipe(never, { end: false });
    stdin?.once('end', () => never.write('\u0004')); // End of transmission.
    await execWithPipes([file, ...rest], { ...program, env, cwd: '/' }, { stdin: never, stdout }, signal);
    return Number((await readFile(join(directory, 'exit'), 'utf8').catch(() => '137')).trim());
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const TTY_TRIES = 100;
const TTY_POLL_MS = 10;

/** The terminal belongs to `script`: its size is set from outside, by its path. The path is there a moment after the start. */
export async function setTerminalSize(directory: string, columns: number, rows: number): Promise<void> {
  for (let tried = 0; tried < TTY_TRIES; tried += 1) {
    const path = (await readFile(join(directory, 'tty'), 'utf8').catch(() => '')).trim();
    if (path.startsWith('/dev/')) {
      await new Promise<void>((resolve) => execFile('stty', ['-F', path, 'cols', String(columns), 'rows', String(rows)], () => resolve()));
      return;
    }
    await realClock.sleep(TTY_POLL_MS);
  }
}

/** Passes on terminal sizes until they end, one after another: the last one stays. Sizes of nothing are clients that have no terminal. */
export async function followSize(
  sizes: AsyncIterable<{ readonly width: number; readonly height: number }>,
  apply: (columns: number, rows: number) => Promise<void>,
): Promise<void> {
  try {
    for await (const { width, height } of sizes) if (width > 0 && height > 0) await apply(width, height);
  } catch {
    // The client is gone, or the terminal is: either way there is nothing left to size.
  }
}

function killSession(pid: number | undefined): void {
  if (pid === undefined) return;
  if (!signalProcess(-pid, 'SIGKILL')) signalProcess(pid, 'SIGKILL');
}

const signalNumbers: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
};
const exitCodeOf = (name: NodeJS.Signals | null): number => 128 + (signalNumbers[name ?? 'SIGKILL'] ?? 9);

/** Runs a command and collects its output; `timeoutMs` 0 waits for ever. @throws {RuntimeError} `DEADLINE_EXCEEDED`. @throws AbortError; the command has ended. */
export async function execSync(
  input: ExecInput,
  timeoutMs: number,
  after: (ms: number, fn: () => void) => { cancel(): void },
  signal: AbortSignal | undefined,
): Promise<ExecSyncResponse> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const outputs = [collect(stdout), collect(stderr)] as const;
  const timeout = new AbortController();
  const timer = timeoutMs > 0 ? after(timeoutMs, () => timeout.abort()) : undefined;
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
