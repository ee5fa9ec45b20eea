import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Whether `err` is the system's error of this name (`ENOENT`). */
export const isErrno = (err: unknown, ...codes: readonly string[]): boolean =>
  err instanceof Error && 'code' in err && codes.includes(String(err.code));

let sequence = 0; // Makes names of temporary files unique in this process.

/** A name beside `path` that no other writer uses. */
export const temporaryName = (path: string): string => `${path}.${process.pid}-${sequence++}.tmp`;

/** Replaces a file: readers see the old or the new content, whole. With `durable` it is on disk when this returns. */
export function replaceFile(path: string, content: string | Uint8Array, { durable }: { readonly durable: boolean }): void {
  const temporary = temporaryName(path);
  const fd = openSync(temporary, 'wx', 0o600);
  try {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written);
    if (durable) fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(temporary, path);
  if (durable) syncDirectory(dirname(path));
}

/** Makes renames in a directory durable. */
export function syncDirectory(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** The parsed content of a JSON file that this store wrote, or undefined when there is none. */
export function readJsonFile<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch (err) {
    if (isErrno(err, 'ENOENT')) return undefined;
    throw err;
  }
}
