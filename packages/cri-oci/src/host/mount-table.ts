import { readFileSync } from 'node:fs';
import type { MountFacts } from '../spec/mounts.ts';

interface MountEntry {
  readonly point: string;
  /** `shared:1 master:2 …` */
  readonly tags: readonly string[];
}

const unescapePath = (path: string): string =>
  path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/** Lines of `/proc/<pid>/mountinfo`. */
export function parseMountTable(text: string): readonly MountEntry[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const fields = line.split(' ');
      return { point: unescapePath(fields[4] ?? ''), tags: fields.slice(6, fields.indexOf('-')) };
    });
}

/** The mount that holds a path is the last one at the longest point above it. */
export function mountFacts(entries: readonly MountEntry[]): MountFacts {
  const holder = (path: string): MountEntry | undefined => {
    let best: MountEntry | undefined;
    for (const entry of entries) {
      const above = entry.point === '/' || path === entry.point || path.startsWith(`${entry.point}/`);
      if (above && entry.point.length >= (best?.point.length ?? 0)) best = entry;
    }
    return best;
  };
  const has = (path: string, tag: string): boolean => holder(path)?.tags.some((text) => text.startsWith(tag)) === true;
  return { isShared: (path) => has(path, 'shared:'), isSlave: (path) => has(path, 'master:') };
}

const readMountTable = (): readonly MountEntry[] => parseMountTable(readFileSync('/proc/self/mountinfo', 'utf8'));

/** Read when it is first asked, and then kept: few mounts ask, and the table grows with the pods. */
export function readMountFacts(): MountFacts {
  let facts: MountFacts | undefined;
  const known = (): MountFacts => (facts ??= mountFacts(readMountTable()));
  return { isShared: (path) => known().isShared(path), isSlave: (path) => known().isSlave(path) };
}

/** Mount points at or below `directory`, deepest first. */
export function mountsBelow(directory: string): readonly string[] {
  return readMountTable()
    .map(({ point }) => point)
    .filter((point) => point.startsWith(`${directory}/`))
    .sort((a, b) => b.length - a.length);
}
