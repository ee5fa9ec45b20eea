import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@orrery/base';
import type { ContainerStreams } from '@orrery/cri';
import type { Container } from './container.ts';
import { followSize } from './exec.ts';

/** Joins a client to a running container's input and output. Resolves when the container ends, or the client leaves. */
export async function attachToContainer(
  container: Container,
  tty: boolean,
  streams: ContainerStreams,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const { stdin, stdout, stderr, resize } = streams;
  const stopListening = container.listen((stream, chunk) => {
    const target = stream === 'stdout' ? stdout : stderr;
    if (target?.writable === true) target.write(chunk);
  });
  const left = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
    for (const stream of [stdout, stderr]) stream?.once('close', resolve);
  });
  const input = stdin === undefined ? undefined : await container.stdin();
  try {
    if (stdin !== undefined && input !== undefined) {
      // With stdinOnce the end of the client's input is the end of the container's; else the next client goes on.
      stdin.pipe(input, { end: container.record.config.stdinOnce === true && !tty });
    }
    if (tty && resize !== undefined) void followSize(resize, (columns, rows) => void setTerminalSize(container, columns, rows, clock));
    await Promise.race([container.exited, left]);
  } finally {
    stopListening();
    if (stdin !== undefined && input !== undefined) stdin.unpipe(input);
  }
}

const TTY_TRIES = 50;
const TTY_POLL_MS = 20;

/** The terminal belongs to `script`: its size is set from outside, by its path. The path is there a moment after the start. */
async function setTerminalSize(container: Container, columns: number, rows: number, clock: Clock): Promise<void> {
  for (let tried = 0; tried < TTY_TRIES; tried += 1) {
    const path = (await readFile(join(container.directory, 'tty'), 'utf8').catch(() => '')).trim();
    if (path.startsWith('/dev/')) {
      await new Promise<void>((resolve) => execFile('stty', ['-F', path, 'cols', String(columns), 'rows', String(rows)], () => resolve()));
      return;
    }
    await clock.sleep(TTY_POLL_MS);
  }
}
