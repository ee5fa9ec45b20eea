import { spawn } from 'node:child_process';
import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { aborted, type Clock, sealedStdio } from '@orrery/base';
import { type ContainerStreams, RuntimeError } from '@orrery/cri';
import type { Container } from '../container/container.ts';
import type { Host } from '../host/host.ts';
import { followLog } from './log-follower.ts';
import { followSize } from './terminal.ts';

export interface AttachInput {
  readonly container: Container;
  readonly host: Host;
  readonly clock: Clock;
  readonly tty: boolean;
}

/**
 * Joins a client to a running container: its output is read from the log, where the monitor writes it first; its input goes to the
 * monitor's socket. Resolves when the container ends, or the client leaves.
 */
export async function attachToContainer(input: AttachInput, streams: ContainerStreams, signal: AbortSignal): Promise<void> {
  const { container, host, clock, tty } = input;
  const { stdin, stdout, stderr, resize } = streams;
  if (stdin !== undefined && container.record.config.stdin === true && host.socat === undefined)
    throw new RuntimeError('UNIMPLEMENTED', 'attaching with input is not possible here: install socat');
  const stop = new AbortController();
  const ended = container.exited.then(() => undefined);
  const output = followLog({
    path: container.record.logPath,
    clock,
    ended,
    signal: stop.signal,
    onOutput: (stream, chunk) => {
      const target = stream === 'stdout' ? stdout : stderr;
      if (target?.writable === true) target.write(chunk);
    },
  });
  await output.started;
  const detach = stdin === undefined ? undefined : sendInput(input, stdin);
  if (tty && resize !== undefined) void followSize(resize, (columns, rows) => resizeContainer(container, columns, rows));
  const left = new Promise<void>((resolve) => {
    for (const stream of [stdout, stderr]) stream?.once('close', resolve);
    // A client that only brings input has nothing more to say when that ends.
    if (stdout === undefined && stderr === undefined) void detach?.delivered.then(resolve);
  });
  try {
    await Promise.race([output.done, left, aborted(signal)]);
  } finally {
    stop.abort();
    detach?.close();
  }
}

/** Columns and rows, told to the monitor that holds the terminal. */
async function resizeContainer(container: Container, columns: number, rows: number): Promise<void> {
  await writeControl(container, `1 ${rows} ${columns}\n`);
}

const REOPEN_TRIES = 500;
const REOPEN_POLL_MS = 2;

/** Makes the monitor close its log file and open it anew. Resolves when the new one is there: what was renamed gets no more lines. */
export async function reopenLog(container: Container, clock: Clock): Promise<void> {
  await writeControl(container, '2 0 0\n');
  for (let tried = 0; tried < REOPEN_TRIES && container.state === 'CONTAINER_RUNNING'; tried += 1) {
    const there = await access(container.record.logPath).then(
      () => true,
      () => false,
    );
    if (there) return;
    await clock.sleep(REOPEN_POLL_MS);
  }
}

const writeControl = (container: Container, line: string): Promise<void> =>
  writeFile(join(container.directory, 'ctl'), line, { flag: 'a' });

interface SentInput {
  /** Resolves when the input has ended and all of it was passed on. */
  readonly delivered: Promise<void>;
  close(): void;
}

/** The monitor's socket keeps packets apart, which Node cannot; `socat` can. What the monitor sends back stands in the log as well. */
function sendInput({ container, host }: AttachInput, stdin: Readable): SentInput {
  if (container.record.config.stdin !== true || host.socat === undefined) return { delivered: Promise.resolve(), close: () => undefined };
  // Relative: the path of a socket is short. Once the input ends nobody is waited for.
  const child = spawn(host.socat, ['-t', '0', '-', 'UNIX-CONNECT:attach,type=5'], {
    cwd: container.directory,
    stdio: sealedStdio(['pipe', 'ignore', 'ignore']),
  });
  child.stdin?.on('error', () => undefined); // The container ended.
  child.on('error', () => undefined); // Then `close` follows.
  if (child.stdin !== null) stdin.pipe(child.stdin);
  const delivered = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return {
    delivered,
    close() {
      if (child.stdin !== null) stdin.unpipe(child.stdin);
      child.kill();
    },
  };
}
