import { type FileHandle, open } from 'node:fs/promises';
import { newLineSplitter, parseLogLine } from './cri-log.ts';

const BLOCK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/**
 * Where the last `lines` lines of the first `size` bytes begin. An unfinished last line counts as none: it is read as well.
 */
export async function tailOffset(file: FileHandle, size: number, lines: number): Promise<number> {
  if (lines < 0) return 0;
  let left = lines + 1; // The newline before the first wanted line.
  const buffer = Buffer.alloc(BLOCK_BYTES);
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - BLOCK_BYTES);
    const { bytesRead } = await file.read(buffer, 0, end - start, start);
    for (let at = buffer.subarray(0, bytesRead).lastIndexOf(NEWLINE); at >= 0; ) {
      left -= 1;
      if (left === 0) return start + at + 1;
      at = at === 0 ? -1 : buffer.subarray(0, at).lastIndexOf(NEWLINE);
    }
    end = start;
  }
  return 0;
}

/** The content of the last lines of a log, without times; at most `bytesMax` bytes from the end. */
export async function readLogTail(
  path: string,
  { linesMax, bytesMax }: { readonly linesMax: number; readonly bytesMax: number },
): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const start = await tailOffset(file, size, linesMax);
    const data = Buffer.alloc(size - start);
    const { bytesRead } = await file.read(data, 0, data.length, start);
    const content = newLineSplitter()
      .push(data.subarray(0, bytesRead))
      .map((line) => parseLogLine(line)?.content ?? Buffer.alloc(0));
    const all = Buffer.concat(content);
    return all.subarray(Math.max(0, all.length - bytesMax)).toString();
  } finally {
    await file.close();
  }
}
