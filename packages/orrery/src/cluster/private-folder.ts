import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Makes a folder, and those above it, that only its owner enters. @throws the operating system's error. */
export async function makePrivateFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    // Node says ENOENT for every reason why a folder above cannot be made, as a read-only file system: ask again without `recursive`.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    let missing = path;
    while (!existsSync(dirname(missing))) missing = dirname(missing);
    await mkdir(missing, { mode: 0o700 });
    await mkdir(path, { recursive: true, mode: 0o700 });
  }
}
