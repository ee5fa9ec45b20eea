import { execFile } from 'node:child_process';
import { type FileHandle, open, readFile, truncate } from 'node:fs/promises';
import type { Clock } from '@orrery/base';

export type StreamName = 'stdout' | 'stderr';

export interface LogPumpOptions {
  readonly stream: StreamName;
  /** What the container writes to; grows only. */
  readonly rawPath: string;
  /** CRI log; undefined: output is kept for attach only. */
  readonly logPath: string | undefined;
  /** Byte of the raw file to go on from. */
  readonly position: number;
  readonly clock: Clock;
  /** Output as it comes, before it stands in the log. */
  readonly onOutput: (chunk: Buffer) => void;
}

/** Copies a container's raw output into its CRI log. */
export interface LogPump {
  readonly position: number;
  /** Copies what is there now. Calls while one runs share the next. */
  pump(): Promise<void>;
  /** Copies the rest, an unfinished last line too, and closes. */
  finish(): Promise<void>;
  /** Goes on in a new file of the same name: the old one was renamed. Copies nothing twice. */
  reopen(): Promise<void>;
}

const CHUNK_BYTES = 64 * 1024;
/** Longest line in one entry; the rest follows as further parts. As containerd's `max_container_log_line_size`. */
const LINE_BYTES_MAX = 16 * 1024;
/** Consumed output is given back to the disk in steps of this size. */
const RECLAIM_BYTES = 8 * 1024 * 1024;

export function newLogPump({ stream, rawPath, logPath, position: start, clock, onOutput }: LogPumpOptions): LogPump {
  let raw: FileHandle | undefined;
  let log: FileHandle | undefined;
  let position = start; // Invariant: bytes below it were given to onOutput, and stand in the log or in `rest`.
  let rest: Buffer = Buffer.alloc(0); // The unfinished last line. Invariant: shorter than LINE_BYTES_MAX.
  let reclaimed = 0;
  let running: Promise<void> | undefined;
  let again = false;

  const copyAll = async (): Promise<void> => {
    raw ??= await open(rawPath, 'r');
    if (logPath !== undefined) log ??= await open(logPath, 'a', 0o640);
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    for (;;) {
      const { bytesRead } = await raw.read(buffer, 0, CHUNK_BYTES, position);
      if (bytesRead === 0) return;
      position += bytesRead;
      const chunk = Buffer.from(buffer.subarray(0, bytesRead));
      onOutput(chunk);
      const { text, remaining } = formatEntries(rest.length === 0 ? chunk : Buffer.concat([rest, chunk]), stream, timestamp(clock));
      rest = remaining;
      if (text.length > 0) await log?.write(text);
      if (position - reclaimed > RECLAIM_BYTES) reclaim();
    }
  };

  /** Makes a hole where the consumed output was: offsets stay, the disk does not fill. Where the tool or the file system cannot, nothing happens. */
  const reclaim = (): void => {
    const end = position - (position % 4096);
    execFile('fallocate', ['--punch-hole', '--offset', String(reclaimed), '--length', String(end - reclaimed), rawPath], () => undefined);
    reclaimed = end;
  };

  const pump = async (): Promise<void> => {
    if (running !== undefined) {
      again = true;
      return running;
    }
    running = (async () => {
      do {
        again = false;
        await copyAll();
      } while (again);
    })().finally(() => {
      running = undefined;
    });
    return running;
  };

  const close = async (): Promise<void> => {
    await Promise.all([raw?.close(), log?.close()]);
    raw = undefined;
    log = undefined;
  };

  return {
    get position() {
      return position - rest.length;
    },
    pump,
    async finish() {
      await pump();
      await pump(); // What came while the first was under way.
      if (rest.length > 0) await log?.write(entry(timestamp(clock), stream, 'F', rest));
      rest = Buffer.alloc(0);
      await close();
    },
    async reopen() {
      await pump();
      await log?.close();
      log = undefined;
    },
  };
}

const timestamp = (clock: Clock): string => new Date(clock.now()).toISOString().replace('Z', '000000Z');

const entry = (time: string, stream: StreamName, tag: 'F' | 'P', line: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${time} ${stream} ${tag} `), line, NEWLINE]);
const NEWLINE = Buffer.from('\n');

/** CRI log entries of the whole lines in `data`, and what remains after the last newline. Source: CRI logging format, KEP-1602. */
export function formatEntries(data: Buffer, stream: StreamName, time: string): { readonly text: Buffer; readonly remaining: Buffer } {
  const out: Buffer[] = [];
  let from = 0;
  for (;;) {
    const newline = data.indexOf(0x0a, from);
    const end = newline < 0 ? data.length : newline;
    while (end - from >= LINE_BYTES_MAX) {
      out.push(entry(time, stream, 'P', data.subarray(from, from + LINE_BYTES_MAX)));
      from += LINE_BYTES_MAX;
    }
    if (newline < 0) return { text: Buffer.concat(out), remaining: Buffer.from(data.subarray(from)) };
    out.push(entry(time, stream, 'F', data.subarray(from, newline)));
    from = newline + 1;
  }
}

/**
 * How many bytes of each stream a CRI log holds: where copying went on when the agent died. A torn last entry is cut off, so
 * that nothing is lost or doubled.
 */
export async function recoverPositions(logPath: string): Promise<Readonly<Record<StreamName, number>>> {
  const positions = { stdout: 0, stderr: 0 };
  const content = await readFile(logPath).catch(() => undefined);
  if (content === undefined) return positions;
  const whole = content.lastIndexOf(0x0a) + 1;
  if (whole < content.length) await truncate(logPath, whole);
  for (let from = 0; from < whole; ) {
    const end = content.indexOf(0x0a, from);
    const header = /^\S+ (stdout|stderr) ([FP]) /.exec(content.subarray(from, Math.min(end, from + 64)).toString('latin1'));
    if (header !== null) positions[header[1] as StreamName] += end - from - header[0].length + (header[2] === 'F' ? 1 : 0);
    from = end + 1;
  }
  return positions;
}
