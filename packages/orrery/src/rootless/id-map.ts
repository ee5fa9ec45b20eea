/** Ids of one kind (users or groups) that a user namespace has: `inside` begins at the machine's id `outside`, `count` of them. */
export interface IdRange {
  readonly inside: number;
  readonly outside: number;
  readonly count: number;
}

/**
 * The ranges that an administrator gave a user, as `/etc/subuid` and `/etc/subgid` say.
 *
 * @param names - The user's name and number: lines begin with either. Source: subuid(5).
 */
export function grantedRanges(text: string, names: readonly string[]): readonly Omit<IdRange, 'inside'>[] {
  return text.split('\n').flatMap((line) => {
    const [name = '', start = '', length = ''] = line.trim().split(':');
    const [outside, count] = [Number(start), Number(length)];
    const isRange = /^\d+$/.test(start) && /^\d+$/.test(length) && count > 0;
    return names.includes(name) && isRange ? [{ outside, count }] : [];
  });
}

/** 0 inside is the user; 1 and on are the ids that were given to that user. */
export function idMap(own: number, granted: readonly Omit<IdRange, 'inside'>[]): readonly IdRange[] {
  const map: IdRange[] = [{ inside: 0, outside: own, count: 1 }];
  let inside = 1;
  for (const { outside, count } of granted) {
    map.push({ inside, outside, count });
    inside += count;
  }
  return map;
}

/** As the kernel's map files and newuidmap take it. */
export const mapWords = (map: readonly IdRange[]): readonly string[] =>
  map.flatMap(({ inside, outside, count }) => [`${inside}`, `${outside}`, `${count}`]);
