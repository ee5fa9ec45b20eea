import { readFile } from 'node:fs/promises';
import type { Clock } from '@orrery/base';
import { run } from '../host/process.ts';

const TRIES = 200;
const POLL_MS = 10;

export interface SizeRequest {
  /** Written when the process is there. */
  readonly pidFile: string;
  readonly clock: Clock;
  readonly columns: number;
  readonly rows: number;
  /** The process ended: no more is to be sized. */
  readonly signal: AbortSignal;
}

/** Sizes the terminal that a process has as its input. The kernel tells the process. */
export async function setTerminalSize({ pidFile, clock, columns, rows, signal }: SizeRequest): Promise<void> {
  for (let tried = 0; tried < TRIES && !signal.aborted; tried += 1) {
    const pid = Number(await readFile(pidFile, 'utf8').catch(() => '0'));
    const { code } = pid > 0 ? await run('stty', ['-F', `/proc/${pid}/fd/0`, 'cols', String(columns), 'rows', String(rows)]) : { code: 1 };
    if (code === 0) return;
    await clock.sleep(POLL_MS);
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
