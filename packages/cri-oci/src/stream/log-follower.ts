import { type FSWatcher, watch } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { type Clock, deferred } from '@orrery/base';

export type StreamName = 'stdout' | 'stderr';

export interface FollowInput {
  /** A CRI log. */
  readonly path: string;
  readonly clock: Clock;
  /** No more is written after this. */
  readonly ended: Promise<void>;
  readonly signal: AbortSignal;
  readonly onOutput: (stream: StreamName, chunk: Buffer) => void;
}

const READ_BYTES = 64 * 1024;
const POLL_MS = 200; // For file systems that tell nothing, and for a log that was replaced.
const NEWLINE = 0x0a;

/** One log line's bytes: a full line (F) ended with a newline, a part (P) did not. */
export function parseLogLine(line: Buffer): { readonly stream: StreamName; readonly content: Buffer } | undefined {
  // `<time> <stream> <tag> <content>`
  const first = line.indexOf(0x20);
  const second = line.indexOf(0x20, first + 1);
  const third = line.indexOf(0x20, second + 1);
  if (first < 0 || second < 0 || third < 0) return undefined;
  const stream = line.toString('latin1', first + 1, second);
  if (stream !== 'stdout' && stream !== 'stderr') return undefined;
  const full = line.toString('latin1', second + 1, third).startsWith('F');
  const content = line.subarray(third + 1);
  return { stream, content: full ? Buffer.concat([content, Buffer.of(NEWLINE)]) : content };
}

/** Reads a container's output from its log, from its present end on, through rotations. */
export function followLog({ path, clock, ended, signal, onOutput }: FollowInput): {
  readonly started: Promise<void>;
  readonly done: Promise<void>;
} {
  let file: FileHandle | undefined;
  let watcher: FSWatcher | undefined;
  let inode = 0;
  let position = 0;
  let rest = Buffer.alloc(0); // A line that is not complete yet.
  let over = false;
  let wake = deferred<void>();
  const started = deferred<void>();

  const openAt = async (atEnd: boolean): Promise<boolean> => {
    const next = await open(path, 'r').catch(() => undefined);
    if (next === undefined) return false;
    const { ino, size } = await next.stat();
    await file?.close();
    watcher?.close();
    [file, inode, position] = [next, ino, atEnd ? size : 0];
    try {
      watcher = watch(path, { persistent: false }, () => wake.resolve());
      watcher.on('error', () => watcher?.close());
    } catch {
      watcher = undefined; // Polled.
    }
    return true;
  };

  const readAll = async (): Promise<void> => {
    const buffer = Buffer.alloc(READ_BYTES);
    while (file !== undefined) {
      const { bytesRead } = await file.read(buffer, 0, READ_BYTES, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      rest = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
      for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
        const line = parseLogLine(rest.subarray(0, end));
        rest = rest.subarray(end + 1);
        if (line !== undefined) onOutput(line.stream, Buffer.from(line.content));
      }
    }
  };

  const follow = async (): Promise<void> => {
    try {
      await openAt(true);
      started.resolve();
      while (!signal.aborted) {
        wake = deferred<void>();
        const last = over;
        await readAll();
        const now = await stat(path).catch(() => undefined);
        if (now !== undefined && now.ino !== inode) {
          await readAll();
          await openAt(false);
          continue;
        }
        if (last) return;
        const timer = clock.after(POLL_MS, () => wake.resolve());
        if (!over) await wake.promise;
        timer.cancel();
      }
    } finally {
      started.resolve();
      watcher?.close();
      await file?.close();
    }
  };
  void ended.then(() => {
    over = true;
    wake.resolve();
  });
  signal.addEventListener('abort', () => wake.resolve(), { once: true });
  return { started: started.promise, done: follow() };
}
