import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** What one cluster has on this machine, each kind as a sorted list of names. */
export interface Census {
  readonly processes: readonly string[];
  /** Seen by anybody who lives now. */
  readonly mounts: readonly string[];
  readonly namespaces: readonly string[];
  readonly links: readonly string[];
  /** Every line of its nftables tables: rules and elements. */
  readonly rules: readonly string[];
  readonly cgroups: readonly string[];
}

const emptyCensus: Census = { processes: [], mounts: [], namespaces: [], links: [], rules: [], cgroups: [] };

/** The id that is part of all names that the cluster in `data` gives on this machine. */
export const instanceIdOf = (data: string): string =>
  BigInt(`0x${createHash('sha256').update(join(data, 'node')).digest('hex')}`)
    .toString(36)
    .slice(0, 6);

/** Counts what the cluster in the folder `data` has, by names alone: nobody of it need live. */
export function censusOf(data: string): Census {
  const id = instanceIdOf(data);
  const namespaces = namesIn('/run/netns').filter((name) => name.startsWith(`orrery-${id}-`));
  const links = linesOf('ip', ['-o', 'link']).flatMap((line) => {
    const name = /^\d+: ([^:@]+)/.exec(line)?.[1] ?? '';
    return name === `orr-${id}` || name === `ovx${id}` || name.startsWith(`ov${id}-`) ? [name] : [];
  });
  const tables = linesOf('nft', ['list', 'tables']).filter((line) => line.includes(` orrery-${id}-`));
  const rules = tables.flatMap((table) => linesOf('nft', ['list', ...table.split(' ')]));
  return { ...emptyCensus, ...processesAndMounts(data, id), namespaces, links, rules, cgroups: cgroupsOf(id) };
}

/** What stays of a cluster that has ended: every name in the census. Empty when nothing does. */
export const namesOf = (census: Census): readonly string[] =>
  Object.entries(census).flatMap(([kind, names]: [string, readonly string[]]) => names.map((name) => `${kind}: ${name}`));

/** The count of each kind. */
export const countsOf = (census: Census): Readonly<Record<keyof Census, number>> =>
  Object.fromEntries(Object.entries(census).map(([kind, names]: [string, readonly string[]]) => [kind, names.length])) as Record<
    keyof Census,
    number
  >;

/** Descriptors that a process holds, as what they lead to. */
export const openFilesOf = (pid: number): readonly string[] =>
  namesIn(`/proc/${pid}/fd`).flatMap((name) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${name}`)];
    } catch {
      return []; // Closed meanwhile.
    }
  });

/** Memory of a process that is in use, in MiB. */
export const residentMib = (pid: number): number =>
  Math.round(Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024);

/** Files and folders below a folder, as paths within it. */
export function filesBelow(folder: string, prefix = ''): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(prefix, entry.name);
    return entry.isDirectory() ? [path, ...filesBelow(join(folder, entry.name), path)] : [path];
  });
}

function processesAndMounts(data: string, id: string): Pick<Census, 'processes' | 'mounts'> {
  const processes: string[] = [];
  const mounts = new Set<string>();
  for (const pid of namesIn('/proc').filter((name) => /^\d+$/.test(name) && name !== `${process.pid}`)) {
    const [command, environment, cgroup] = ['cmdline', 'environ', 'cgroup'].map((file) => contentOf(`/proc/${pid}/${file}`));
    if (command?.includes(data) || environment?.includes(dirname(dirname(data))) || cgroup?.includes(`/orrery-${id}/`))
      processes.push(`${pid} ${command?.replaceAll('\0', ' ').trim()}`);
    for (const line of (contentOf(`/proc/${pid}/mountinfo`) ?? '').split('\n')) {
      const [, , , source = '', point = ''] = line.split(' ');
      if (point.startsWith(`${data}/`) || point.includes(`/netns/orrery-${id}-`)) mounts.add(point);
      else if (source.startsWith(`${data}/`)) mounts.add(`${source} at ${point} of ${pid}`);
    }
  }
  return { processes: processes.sort(), mounts: [...mounts].sort() };
}

function cgroupsOf(id: string): readonly string[] {
  const tops = ['/sys/fs/cgroup', ...namesIn('/sys/fs/cgroup').map((name) => join('/sys/fs/cgroup', name))];
  return tops.flatMap((top) => foldersIn(join(top, `orrery-${id}`)));
}

const foldersIn = (path: string): readonly string[] =>
  existsSync(path)
    ? [
        path,
        ...readdirSync(path, { withFileTypes: true })
          .filter((entry) => entry.isDirectory())
          .flatMap(({ name }) => foldersIn(join(path, name))),
      ]
    : [];

function namesIn(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // Ended meanwhile, or not ours to look at.
  }
}

function linesOf(program: string, args: readonly string[]): readonly string[] {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 64 * 2 ** 20 })
      .split('\n')
      .filter((line) => line !== '');
  } catch {
    return []; // The table went meanwhile.
  }
}
