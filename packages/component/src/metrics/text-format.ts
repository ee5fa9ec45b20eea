/** `name{a="x",b="y"}`, values escaped. */
export function seriesName(name: string, labels: readonly string[], values: readonly string[]): string {
  if (labels.length === 0) return name;
  return `${name}{${labels.map((label, index) => `${label}="${escapeValue(values[index] ?? '')}"`).join(',')}}`;
}

/** Labels and values with the bucket's `le` added. */
export function bucketLabels(labels: readonly string[], values: readonly string[], bound: string): [readonly string[], readonly string[]] {
  return [
    [...labels, 'le'],
    [...values, bound],
  ];
}

export const escapeHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
const escapeValue = (text: string): string => escapeHelp(text).replaceAll('"', '\\"');
