/**
 * Splits a byte stream into lines, one batch for each chunk that completes at least one. Bytes of an unfinished line are kept as they came
 * and joined once, when its end arrives: a line of n bytes costs O(n) in however many chunks it comes. Empty lines are skipped; a last line
 * without an end is part of the last batch.
 */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncIterable<readonly string[]> {
  let unfinished: Uint8Array[] = [];
  for await (const chunk of chunks) {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
      const line = textOf(unfinished, chunk.subarray(start, end));
      if (unfinished.length > 0) unfinished = [];
      if (line !== '') lines.push(line);
      start = end + 1;
    }
    if (start < chunk.length) unfinished.push(chunk.subarray(start));
    if (lines.length > 0) yield lines;
  }
  const last = textOf(unfinished, new Uint8Array());
  if (last !== '') yield [last];
}

function textOf(head: readonly Uint8Array[], tail: Uint8Array): string {
  const bytes = head.length === 0 ? tail : Buffer.concat([...head, tail]);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8').trim();
}
