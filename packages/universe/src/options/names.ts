/** Room for `-<run>` and the suffixes of objects and pods in 63 characters. */
const NAME_LENGTH_MAX = 40;

/** Why `name` cannot name an application; undefined when it can. */
export function dns1123LabelProblems(name: string): string | undefined {
  if (name.length > NAME_LENGTH_MAX) return `must have at most ${NAME_LENGTH_MAX} characters`;
  return /^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(name)
    ? undefined
    : "must consist of lower case letters, digits or '-', start with a letter and end with a letter or digit";
}

/** The nearest valid name: `@me/Hello_World` → `hello-world`. */
export function nameFrom(text: string): string {
  const plain = text
    .replace(/^@[^/]*\//, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, NAME_LENGTH_MAX)
    .replace(/-+$/, '');
  return plain === '' ? 'app' : plain;
}

/**
 * Splits `total` by weights so that the parts add up to it: largest remainders first, earlier clusters first among equals.
 * @param weights - Each greater than 0.
 */
export function splitByWeight(total: number, weights: readonly number[]): number[] {
  const sum = weights.reduce((left, right) => left + right, 0);
  const exact = weights.map((weight) => (total * weight) / sum);
  const parts = exact.map(Math.floor);
  const rest = total - parts.reduce((left, right) => left + right, 0);
  const order = exact
    .map((value, index) => ({ index, fraction: value - Math.floor(value) }))
    .sort((a, b) => b.fraction - a.fraction || a.index - b.index);
  for (const { index } of order.slice(0, rest)) parts[index] = (parts[index] ?? 0) + 1;
  return parts;
}
