import { readFileSync } from 'node:fs';

const GROUP_MAX = 2_147_483_647; // As the kernel takes it there.

/** The last group that this process's user namespace has: 0 where it has no other. */
export function lastGroup(map = readFileSync('/proc/self/gid_map', 'utf8')): number {
  const lasts = map.split('\n').map((line) => {
    const [inside = 0, , count = 0] = line.trim().split(/\s+/).map(Number);
    return inside + count - 1;
  });
  return Math.min(GROUP_MAX, Math.max(0, ...lasts));
}
