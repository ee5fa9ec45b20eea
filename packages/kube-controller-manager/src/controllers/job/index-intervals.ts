/** A run of completion indexes, both ends included. */
export interface Interval {
  readonly first: number;
  readonly last: number;
}

/** A set of completion indexes: ascending, disjoint, never adjacent. A job may have a million of them. */
export type Intervals = readonly Interval[];

/** The text of `status.completedIndexes` as a set. What cannot be read is left out, as is everything from `completions` on. */
export function parseIntervals(text: string, completions: number): Intervals {
  const parsed: Interval[] = [];
  for (const part of text.split(',')) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part);
    if (match === null) continue;
    const first = Number(match[1]);
    if (first >= completions) break;
    parsed.push({ first, last: Math.min(Number(match[2] ?? match[1]), completions - 1) });
  }
  return mergeIntervals(parsed, []);
}

/** `0,2-4`; two neighbours are printed as `1,2`. */
export function printIntervals(intervals: Intervals): string {
  return intervals
    .map(({ first, last }) => (first === last ? `${first}` : last === first + 1 ? `${first},${last}` : `${first}-${last}`))
    .join(',');
}

/** @param indexes - In any order. */
export function withIndexes(intervals: Intervals, indexes: Iterable<number>): Intervals {
  const added = [...indexes].sort((a, b) => a - b).map((index) => ({ first: index, last: index }));
  return added.length === 0 ? intervals : mergeIntervals(intervals, added);
}

/** @param a, b - Ascending by `first`. */
export function mergeIntervals(a: Intervals, b: Intervals): Intervals {
  const merged: { first: number; last: number }[] = [];
  for (const { first, last } of [...a, ...b].sort((x, y) => x.first - y.first)) {
    const previous = merged.at(-1);
    if (previous === undefined || first > previous.last + 1) merged.push({ first, last });
    else previous.last = Math.max(previous.last, last);
  }
  return merged;
}

export const countIndexes = (intervals: Intervals): number => intervals.reduce((sum, { first, last }) => sum + last - first + 1, 0);

export function hasIndex(intervals: Intervals, index: number): boolean {
  let low = 0;
  let high = intervals.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((intervals[middle]?.last ?? 0) >= index) high = middle;
    else low = middle + 1;
  }
  const found = intervals[low];
  return found !== undefined && found.first <= index;
}

/** How many indexes both sets hold. */
export function countCommon(a: Intervals, b: Intervals): number {
  let common = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const x = a[i];
    const y = b[j];
    if (x === undefined || y === undefined) break;
    common += Math.max(0, Math.min(x.last, y.last) - Math.max(x.first, y.first) + 1);
    if (x.last <= y.last) i += 1;
    if (y.last <= x.last) j += 1;
  }
  return common;
}

/** The lowest `count` indexes below `completions` that are not in `taken`. */
export function firstFree(taken: Intervals, count: number, completions: number): readonly number[] {
  const free: number[] = [];
  let candidate = 0;
  for (const { first, last } of [...taken, { first: completions, last: completions }]) {
    for (; candidate < Math.min(first, completions) && free.length < count; candidate += 1) free.push(candidate);
    candidate = Math.max(candidate, last + 1);
  }
  return free;
}
