/** A document in YAML, keys sorted, as upstream's encoder writes it. Loads the library on first use. Text that YAML 1.1 would take for something else is quoted. */
export async function toYaml(value: unknown): Promise<string> {
  const { stringify } = await import('yaml');
  return stringify(value, { version: '1.1', sortMapEntries: true, lineWidth: 0, aliasDuplicateObjects: false });
}
