import { access, constants } from 'node:fs/promises';
import { basename, delimiter, join } from 'node:path';
import { realClock } from '@orrery/base';
import { openCgroups } from './cgroups.ts';
import { run } from './process.ts';

/** A program of this machine that the driver can use. */
export interface FoundProgram {
  readonly path: string;
  readonly kind: 'crun' | 'runc';
  readonly version: string;
  /**
   * The runtime refuses this machine's mix of cgroup versions, and is therefore shown only the first, in a mount namespace of its own.
   */
  readonly hidesUnified: boolean;
}

export interface OciPrograms {
  /** Which runtimes work here, best first. */
  readonly runtimes: readonly FoundProgram[];
  readonly conmon: string | undefined;
  /** For people: what is missing, and what to do about it. Empty when nothing is. */
  readonly problems: readonly string[];
}

export async function findProgram(name: string, path: string): Promise<string | undefined> {
  const candidates = name.includes('/') ? [name] : path.split(delimiter).map((folder) => join(folder || '.', name));
  for (const candidate of candidates) {
    const found = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return candidate;
  }
  return undefined;
}

/** Ordinary users often have no `sbin` in their PATH, and runc lies there. */
export const searchPath = (path: string | undefined): string =>
  [...new Set([...(path ?? '').split(delimiter), '/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'])]
    .filter(Boolean)
    .join(delimiter);

/**
 * Looks for what the driver needs. With `wanted` (a name or a path) only that runtime counts.
 * @param path - The PATH variable.
 */
export async function findOciRuntime(path: string | undefined, wanted?: string): Promise<OciPrograms> {
  const search = searchPath(path);
  const problems: string[] = [];
  const cgroups = process.platform === 'linux' ? await openCgroups(realClock) : undefined;
  const candidates = wanted === undefined ? ['crun', 'runc'] : [wanted];
  const runtimes: FoundProgram[] = [];
  for (const name of candidates) {
    const found = await findProgram(name, search);
    if (found === undefined) continue;
    const { code, stdout, stderr } = await run(found, ['--version']);
    const kind = stdout.startsWith('runc') || (basename(found).includes('runc') && !stdout.startsWith('crun')) ? 'runc' : 'crun';
    if (code !== 0) problems.push(`${found} does not work here: ${stderr.trim()}`);
    else
      runtimes.push({
        path: found,
        kind,
        version: /version ([^\s]+)/.exec(stdout)?.[1] ?? '',
        hidesUnified: kind === 'crun' && cgroups?.hybrid === true,
      });
  }
  if (runtimes.length === 0) problems.push(`${candidates.join(' or ')} not found: install one of them`);
  const conmon = await findProgram('conmon', search);
  if (conmon === undefined) problems.push('conmon not found: install it');
  for (const tool of ['unshare', 'mount', 'umount', 'nsenter']) {
    if ((await findProgram(tool, search)) === undefined) problems.push(`${tool} not found: install util-linux`);
  }
  return { runtimes, conmon, problems };
}
