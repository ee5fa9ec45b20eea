/** Splits off what the YAML parser said: `line 3: key "a" already set in map`. */
function yamlLines(complaints: readonly string[]): readonly [string[], string[]] {
  const lines = complaints.filter((text) => /^line \d+: /.test(text));
  return [lines, complaints.filter((text) => !lines.includes(text))];
}

const unmarshalErrors = (lines: readonly string[]): string => `yaml: unmarshal errors:\n${lines.map((line) => `  ${line}`).join('\n')}`;

/** The message of a body refused by `fieldValidation=Strict`. @param complaints - What `decodeStruct` calls unknown. */
export function strictDecodingError(complaints: readonly string[]): string {
  const [lines, others] = yamlLines(complaints);
  return `strict decoding error: ${[...(lines.length === 0 ? [] : [unmarshalErrors(lines)]), ...others].join(', ')}`;
}

/** The message of an apply patch refused because keys stand twice in it. @param duplicates - What `parseYaml` saw. */
export function strictApplyError(duplicates: readonly string[]): string {
  return `error strict decoding YAML: error converting YAML to JSON: ${unmarshalErrors(duplicates)}`;
}
