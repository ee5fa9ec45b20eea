import { readFile } from 'node:fs/promises';

/** Where the machine's control groups are. A hybrid set-up counts as version 1: what it has in version 2 limits nothing of ours. */
export interface CgroupHierarchy {
  readonly version: 1 | 2;
  /** Directory by controller as `memory`. With version 2 there is one, under the empty name. */
  readonly mounts: ReadonlyMap<string, string>;
}

/** Controllers in which pods get groups of their own, where the machine has them. */
const wanted = ['cpu', 'cpuacct', 'cpuset', 'memory', 'pids', 'hugetlb'];

/** Octal escapes of mountinfo, as `\040` for a space. */
const unescaped = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)));

/** @param mountinfo - What `/proc/self/mountinfo` says. `undefined` where no usable hierarchy is mounted. */
export function parseHierarchy(mountinfo: string): CgroupHierarchy | undefined {
  const mounts = new Map<string, string>();
  let unified: string | undefined;
  for (const line of mountinfo.split('\n')) {
    const [left = '', right = ''] = line.split(' - ');
    const directory = unescaped(left.split(' ')[4] ?? '');
    const [type, , options = ''] = right.split(' ');
    if (type === 'cgroup2') unified = directory;
    if (type !== 'cgroup') continue;
    for (const option of options.split(',')) if (wanted.includes(option)) mounts.set(option, directory);
  }
  if (mounts.has('memory') || mounts.has('cpu')) return { version: 1, mounts };
  return unified === undefined ? undefined : { version: 2, mounts: new Map([['', unified]]) };
}

/** The machine's hierarchy as this process sees it. */
export const readHierarchy = async (): Promise<CgroupHierarchy | undefined> =>
  parseHierarchy(await readFile('/proc/self/mountinfo', 'utf8').catch(() => ''));
