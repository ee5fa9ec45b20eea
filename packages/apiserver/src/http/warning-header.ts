/** Characters of all warnings together before each is cut short. Source: upstream's warning recorder. */
const totalCharactersMax = 4 * 1024;
const cutCharacters = 256;

/** `Warning` header values for texts meant for the user: each once, empty ones dropped, kept within 4 KiB together. */
export function warningHeaders(texts: readonly string[]): string[] {
  const unique = [...new Set(texts)].filter((text) => text !== '');
  const total = unique.reduce((sum, text) => sum + text.length, 0);
  const cut = total > totalCharactersMax;
  const values: string[] = [];
  let used = 0;
  for (const text of unique) {
    const shown = cut ? [...text].slice(0, cutCharacters).join('') : text;
    used += shown.length;
    if (used > totalCharactersMax) break;
    values.push(`299 - ${quoted(shown)}`);
  }
  return values;
}

/** A quoted string that a header can carry: control characters become spaces, others go as UTF-8 bytes. */
function quoted(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not reach the wire
  const printable = text.replace(/[\u0000-\u001f\u007f]/g, ' ');
  const escaped = printable.replaceAll('\\', '\\\\').replaceAll('"', '\\"');
  return `"${Buffer.from(escaped, 'utf8').toString('latin1')}"`;
}
