/** A document in YAML, keys sorted and lists as far out as their key, as upstream's encoder writes it. Loads the library on first use. Text that YAML 1.1 would take for something else is quoted. */
export async function toYaml(value: unknown): Promise<string> {
  const { stringify } = await import('yaml');
  return stringify(value, { version: '1.1', sortMapEntries: true, indentSeq: false, lineWidth: 0, aliasDuplicateObjects: false });
}
