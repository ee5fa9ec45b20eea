import { spawn } from 'node:child_process';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { StorageError } from '../../store.ts';

/** Held until `release`, or until the process ends in any way. */
export interface DirectoryLock {
  release(): Promise<void>;
}

/**
 * Programs that call flock(2) on their descriptor 3, without waiting; they exit with 1 when somebody else holds it.
 *
 * The kernel ties such a lock to the open file, which the child shares with this process: it stays when the child ends, and goes when
 * this process ends, also by SIGKILL. So there is no stale lock, no pid that may be reused or that lives in another namespace, and nothing
 * to clean up. Node itself has no call for it. util-linux and busybox bring the first program, macOS the second.
 */
const lockers: readonly (readonly [command: string, ...args: string[]])[] = [
  ['flock', '-n', '-x', '3'],
  ['perl', '-e', 'use Fcntl ":flock"; open(my $f, "+<&=3") or exit 2; exit(flock($f, LOCK_EX | LOCK_NB) ? 0 : 1)'],
];

/** Exit code of the program; undefined: there is no such program. */
function runOn(fd: number, [command, ...args]: readonly [string, ...string[]]): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'ignore', fd] });
    child.once('error', (error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? resolve(undefined) : reject(error)));
    child.once('exit', (code, signal) => (code === null ? reject(new Error(`${command} ended by ${signal}`)) : resolve(code)));
  });
}

async function flock(file: FileHandle): Promise<'locked' | 'held'> {
  for (const locker of lockers) {
    const code = await runOn(file.fd, locker);
    if (code === 0) return 'locked';
    if (code === 1) return 'held';
  }
  throw new Error('neither flock (util-linux) nor perl can be run');
}

async function holder(file: FileHandle): Promise<string> {
  const pid = (await file.readFile('utf8')).trim();
  return /^\d+$/.test(pid) ? `process ${pid}` : 'another process';
}

async function lockFile(file: FileHandle, directory: string): Promise<DirectoryLock> {
  if ((await flock(file)) === 'held') {
    throw new StorageError('Locked', `${directory} is in use by ${await holder(file)}`);
  }
  await file.truncate();
  await file.write(`${process.pid}\n`, 0); // For that message alone.
  return { release: () => file.close() };
}

/**
 * Makes this process the only one that may use `directory`.
 * @throws {StorageError} `Locked` when another one does, or when it cannot be told.
 */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const file = await open(join(directory, 'lock'), 'a+', 0o600);
  try {
    return await lockFile(file, directory);
  } catch (error) {
    await file.close();
    if (error instanceof StorageError || (error as NodeJS.ErrnoException).code === 'ENOSPC') throw error;
    throw new StorageError('Locked', `${directory} cannot be locked: ${String(error)}`, { cause: error });
  }
}
