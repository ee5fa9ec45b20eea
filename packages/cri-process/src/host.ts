import { execFile } from 'node:child_process';
import { access, constants, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { PROBE_ISOLATION } from './scripts.ts';

/** What this machine lets the driver do. Found by trying, once, at start. */
export interface HostAbilities {
  /** May set user and group ids of a container. */
  readonly root: boolean;
  /** Own view of the file system per container: with root, inside a user namespace, or not at all. */
  readonly isolation: 'root' | 'userns' | 'none';
  /** util-linux `script`: terminals that outlive the agent. */
  readonly terminals: boolean;
  /** util-linux `setpriv`: users, groups, capabilities, no_new_privs. */
  readonly setpriv: boolean;
  /** For people: what is missing and what to do about it. Empty when nothing is. */
  readonly notes: readonly string[];
}

const run = promisify(execFile);
const PROBE_TIMEOUT_MS = 10_000;

/** How a container's root is made, by the kind of isolation. */
export const rootKinds = { root: 'overlay', userns: 'skeleton' } as const;
/** How each kind of isolation is entered. Private mounts vanish with the last process in them: nothing to unmount. */
export const unshareArguments = {
  root: ['--mount', '--propagation', 'private'],
  userns: ['--user', '--map-root-user', '--mount', '--propagation', 'private'],
} as const;

/** @param path - The PATH variable. */
export async function probeHost(path: string): Promise<HostAbilities> {
  const root = process.geteuid?.() === 0;
  const [terminals, setpriv, isolation] = await Promise.all([
    hasTools(['script', 'xargs', 'stty'], path),
    hasTools(['setpriv'], path),
    probeIsolation(root),
  ]);
  const notes: string[] = [];
  if (isolation === 'none')
    notes.push('volumes can only be mounted at paths that exist on this machine: neither root nor user namespaces are available');
  if (!root) notes.push('containers cannot run as another user: Orrery runs without root');
  if (!terminals) notes.push('containers with "tty: true" are refused: install util-linux (script, stty) and findutils (xargs)');
  if (!setpriv) notes.push('capabilities and no_new_privs are refused: install util-linux (setpriv)');
  return { root, isolation, terminals, setpriv, notes };
}

async function probeIsolation(root: boolean): Promise<HostAbilities['isolation']> {
  for (const kind of root ? (['root'] as const) : (['userns'] as const)) {
    const folder = await mkdtemp(join(tmpdir(), 'orrery-probe-'));
    try {
      await run('unshare', [...unshareArguments[kind], '--', '/bin/sh', '-c', PROBE_ISOLATION, 'orrery-probe', folder, rootKinds[kind]], {
        timeout: PROBE_TIMEOUT_MS,
      });
      return kind;
    } catch {
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  return 'none';
}

async function hasTools(names: readonly string[], path: string): Promise<boolean> {
  const found = await Promise.all(names.map((name) => findProgram(name, path, '/')));
  return found.every((program) => program !== undefined);
}

/** The file that a command name means, as execvp(3) finds it; undefined when there is none. */
export async function findProgram(name: string, path: string, cwd: string): Promise<string | undefined> {
  const candidates = name.includes('/')
    ? [name.startsWith('/') ? name : join(cwd, name)]
    : path.split(delimiter).map((folder) => join(folder === '' ? cwd : folder, name));
  for (const candidate of candidates) {
    if (
      await access(candidate, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return candidate;
  }
  return undefined;
}

/** Mount points, beside the root and what ENTER_ISOLATED makes itself, that a container sees as the host has them; none lies below another. */
export async function hostMounts(): Promise<readonly string[]> {
  const table = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '');
  const points = table
    .split('\n')
    .map((line) => line.split(' ')[4])
    .filter((point): point is string => point !== undefined && point !== '/' && !/^\/(proc|sys|dev)(\/|$)/.test(point))
    .map((point) => point.replace(/\\(\d{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))));
  const sorted = [...new Set(points)].sort();
  return sorted.filter((point) => !sorted.some((other) => other !== point && point.startsWith(`${other}/`)));
}
