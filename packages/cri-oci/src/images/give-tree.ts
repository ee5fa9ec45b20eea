import { chmod, lchown, lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hostIdOf, type IdMapping } from './snapshots.ts';

const AT_ONCE = 16; // Files under way: the thread pool has no more use for.
const SET_ID_BITS = 0o6000;

/**
 * Gives every file below and at `root` to the users that stand for its own in a user namespace. Bits that a change of owner takes (set-user-id)
 * are put back; file capabilities are lost.
 */
export async function giveTree(root: string, uids: readonly IdMapping[], gids: readonly IdMapping[]): Promise<void> {
  const pending = [root];
  const give = async (path: string): Promise<void> => {
    const stat = await lstat(path);
    await lchown(path, hostIdOf(stat.uid, uids), hostIdOf(stat.gid, gids));
    if (stat.isFile() && (stat.mode & SET_ID_BITS) !== 0) await chmod(path, stat.mode & 0o7777);
    if (stat.isDirectory()) for (const name of await readdir(path)) pending.push(join(path, name));
  };
  while (pending.length > 0) await Promise.all(pending.splice(-AT_ONCE).map(give));
}
