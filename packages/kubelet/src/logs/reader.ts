import { watch } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { type Clock, deferred } from '@orrery/base';
import { type LogLine, newLineSplitter, parseLogLine } from './cri-log.ts';
import { tailOffset } from './tail.ts';

/** Source: core/v1 PodLogOptions. */
export interface LogOptions {
  readonly follow: boolean;
  /** Prefix each line with its time. */
  readonly timestamps: boolean;
  /** Only the last lines; absent: all. At least 0. */
  readonly tailLines?: number | undefined;
  /** Only lines from then on, in milliseconds since the epoch. */
  readonly sinceMs?: number | undefined;
  /** Stop after so many bytes of output. */
  readonly limitBytes?: number | undefined;
  /** Only one of the two. */
  readonly stream?: 'stdout' | 'stderr' | undefined;
}

export interface LogSource {
  readonly path: string;
  /** Whether more may come: asked when the end of the file is reached. */
  readonly running: () => Promise<boolean>;
  readonly clock: Clock;
}

/** How long a follower may miss what the file system does not tell. */
const POLL_MS = 250;
const BLOCK_BYTES = 64 * 1024;

/** Wakes on every change of the file, and after {@link POLL_MS}. */
function newFileWaiter(path: string, clock: Clock) {
  let wake = deferred<void>();
  const ring = (): void => wake.resolve();
  let watcher: { close(): void } | undefined;
  try {
    watcher = watch(path, ring).on('error', ring);
  } catch {
    watcher = undefined; // No more watches on this machine: polling finds the changes.
  }
  return {
    async wait(signal: AbortSignal): Promise<void> {
      const timer = clock.after(POLL_MS, ring);
      signal.addEventListener('abort', ring, { once: true });
      await wake.promise;
      signal.removeEventListener('abort', ring);
      timer.cancel();
      wake = deferred<void>();
    },
    close: (): void => watcher?.close(),
  };
}

/** Writes lines as they were asked for; says when enough is written. */
function newLineWriter(options: LogOptions, write: (chunk: Buffer) => Promise<void>) {
  let left = options.limitBytes ?? Number.POSITIVE_INFINITY;
  let atLineStart = true;
  const wanted = ({ time, stream }: LogLine): boolean =>
    (options.stream === undefined || options.stream === stream) && (options.sinceMs === undefined || Date.parse(time) >= options.sinceMs);

  return {
    get full(): boolean {
      return left <= 0;
    },
    async write(lines: readonly Buffer[]): Promise<void> {
      const parts: Buffer[] = [];
      for (const raw of lines) {
        const line = parseLogLine(raw);
        if (line === undefined || !wanted(line)) continue;
        if (options.timestamps && atLineStart) parts.push(Buffer.from(`${line.time} `));
        parts.push(line.content);
        atLineStart = !line.partial;
      }
      const all = Buffer.concat(parts);
      const chunk = all.length > left ? all.subarray(0, left) : all;
      left -= chunk.length;
      if (chunk.length > 0) await write(chunk);
    },
  };
}

async function firstOffset(file: FileHandle, { tailLines }: LogOptions): Promise<number> {
  return tailLines === undefined ? 0 : await tailOffset(file, (await file.stat()).size, tailLines);
}

/** Another file has taken this one's path: the log was rotated. */
async function rotated(path: string, file: FileHandle): Promise<boolean> {
  const [now, own] = await Promise.all([stat(path).catch(() => undefined), file.stat()]);
  return now !== undefined && now.ino !== own.ino;
}

/**
 * Reads a container's log. With `follow` it goes on while the container runs, across rotation, and loses nothing: the end of the file
 * counts only when it is reached after the container was seen ended.
 *
 * @param write - Takes output; the next part is read when it resolves. Resolves when everything is written, or `signal` aborts.
 * @throws the file system's error when the log cannot be read.
 */
export async function readLogs(
  { path, running, clock }: LogSource,
  options: LogOptions,
  write: (chunk: Buffer) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const lines = newLineSplitter();
  const writer = newLineWriter(options, write);
  const buffer = Buffer.alloc(BLOCK_BYTES);
  let file = await open(path, 'r');
  const waiter = options.follow ? newFileWaiter(path, clock) : undefined;
  try {
    let offset = await firstOffset(file, options);
    let last = false; // The container has ended: the next end of file is the last.
    while (!signal.aborted && !writer.full) {
      const { bytesRead } = await file.read(buffer, 0, BLOCK_BYTES, offset);
      offset += bytesRead;
      if (bytesRead > 0) {
        await writer.write(lines.push(buffer.subarray(0, bytesRead)));
      } else if (await rotated(path, file)) {
        await file.close();
        file = await open(path, 'r');
        offset = 0;
      } else if (waiter === undefined || last) {
        return;
      } else if (await running()) {
        await waiter.wait(signal);
      } else {
        last = true;
      }
    }
  } finally {
    waiter?.close();
    await file.close();
  }
}
