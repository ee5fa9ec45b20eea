/** Spaces and the like are octal in mountinfo. */
const decode = (text: string): string =>
  text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/** Mount points in the order in which they were made. Source: proc(5), /proc/self/mountinfo. */
export function parseMountInfo(text: string): readonly string[] {
  return text.split('\n').flatMap((line) => {
    const point = line.split(' ')[4];
    return point === undefined ? [] : [decode(point)];
  });
}

/** Those at or below `path`, the last made first: each can be ended before what it lies on. */
export function mountsBelow(points: readonly string[], path: string): readonly string[] {
  const inside = `${path.replace(/\/+$/, '')}/`;
  return points.filter((point) => `${point}/`.startsWith(inside)).reverse();
}
