/**
 * Counts the indexes of a text such as `1,3-5,7`: ascending, none twice, all below `completions`.
 * @returns their number, or why the text is refused.
 */
export function parseIndexes(text: string, completions: number): number | string {
  if (text === '') return 0;
  let count = 0;
  let last = -1;
  for (const interval of text.split(',')) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(interval);
    if (match === null) return `cannot convert string to integer for index: ${JSON.stringify(interval)}`;
    const first = Number(match[1]);
    const end = match[2] === undefined ? first : Number(match[2]);
    if (first >= completions) return `too large index: ${JSON.stringify(match[1])}`;
    if (end >= completions) return `too large index: ${JSON.stringify(match[2])}`;
    if (first <= last) return `non-increasing order, previous: ${last}, current: ${first}`;
    if (match[2] !== undefined && end <= first) return `non-increasing order, previous: ${first}, current: ${end}`;
    count += end - first + 1;
    last = end;
  }
  return count;
}
