import { access, constants, readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { grantedRanges, type IdRange, idMap } from './id-map.ts';
import { findProgram, programPath, runProgram } from './program.ts';

/** A program that joins a network namespace to the world, and how it is started. */
export interface UplinkProgram {
  readonly kind: 'pasta' | 'slirp4netns';
  readonly path: string;
}

/** What an ordinary user's containers need of this machine. */
export interface RootlessParts {
  readonly unshare: string;
  readonly nsenter: string;
  /** The programs that give a user further ids; absent: the map is of the user's own alone. */
  readonly mappers: { readonly uid: string; readonly gid: string } | undefined;
  readonly uids: readonly IdRange[];
  readonly gids: readonly IdRange[];
  /** In order of preference; never empty. */
  readonly uplinks: readonly UplinkProgram[];
  /** What pods will miss, for people. */
  readonly notes: readonly string[];
}

export interface FoundParts {
  readonly parts: RootlessParts | undefined;
  /** Why containers cannot run, and what to do about it; empty when they can. */
  readonly problems: readonly string[];
}

const PACKAGES: Readonly<Record<string, string>> = { unshare: 'util-linux', nsenter: 'util-linux', ip: 'iproute2', nft: 'nftables' };

/**
 * Looks for what namespaces of a user's own need. Quick: it is asked at each start.
 *
 * @param path - The PATH variable.
 */
export async function findRootlessParts(path: string | undefined): Promise<FoundParts> {
  const search = programPath(path);
  const find = (name: string): Promise<string | undefined> => findProgram(name, search);
  const [[unshare, nsenter, ip, nft], [newuidmap, newgidmap], [pasta, slirp]] = await Promise.all([
    Promise.all(['unshare', 'nsenter', 'ip', 'nft'].map(find)),
    Promise.all(['newuidmap', 'newgidmap'].map(find)),
    Promise.all(['pasta', 'slirp4netns'].map(find)),
  ]);
  const problems = Object.entries({ unshare, nsenter, ip, nft }).flatMap(([name, found]) =>
    found === undefined ? [`${name} not found: install ${PACKAGES[name]}`] : [],
  );
  const uplinks: UplinkProgram[] = [
    ...(pasta === undefined ? [] : [{ kind: 'pasta' as const, path: pasta }]),
    ...(slirp === undefined ? [] : [{ kind: 'slirp4netns' as const, path: slirp }]),
  ];
  if (uplinks.length === 0) problems.push('neither pasta nor slirp4netns found: install passt');
  if (!(await isWritable('/dev/net/tun'))) problems.push('/dev/net/tun cannot be opened: ask an administrator for access to it');
  if (unshare === undefined || nsenter === undefined || problems.length > 0) return { parts: undefined, problems };
  const tried = await runProgram([unshare, '--user', '--mount', '--net', 'true']);
  if (tried.code !== 0) return { parts: undefined, problems: [`user namespaces are not allowed here (${tried.stderr.trim()})`] };
  const ids = await idsOf(newuidmap, newgidmap);
  return { parts: { unshare, nsenter, uplinks, ...ids }, problems };
}

async function idsOf(
  newuidmap: string | undefined,
  newgidmap: string | undefined,
): Promise<Pick<RootlessParts, 'mappers' | 'uids' | 'gids' | 'notes'>> {
  const { username, uid, gid } = userInfo();
  const [uids, gids] = await Promise.all(
    ['/etc/subuid', '/etc/subgid'].map(async (file) => grantedRanges(await readFile(file, 'utf8').catch(() => ''), [username, `${uid}`])),
  );
  if (newuidmap !== undefined && newgidmap !== undefined && uids?.length && gids?.length)
    return { mappers: { uid: newuidmap, gid: newgidmap }, uids: idMap(uid, uids), gids: idMap(gid, gids), notes: [] };
  const todo =
    newuidmap === undefined || newgidmap === undefined
      ? 'install uidmap'
      : `ask an administrator for "usermod --add-subuids 100000-165535 --add-subgids 100000-165535 ${username}"`;
  const note = `pods have no user but 0: ${todo}`;
  return { mappers: undefined, uids: idMap(uid, []), gids: idMap(gid, []), notes: [note] };
}

const isWritable = (path: string): Promise<boolean> =>
  access(path, constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  );
