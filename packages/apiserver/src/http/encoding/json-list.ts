import type { ListMeta } from '@orrery/apimachinery';

export const newline = Buffer.from('\n');
const comma = Buffer.from(',');
const listEnd = Buffer.from(']}');

/** The pieces of a JSON list: its own head around the items' cached bytes. */
export function listPieces(kind: string, apiVersion: string, metadata: ListMeta, items: readonly { readonly json: Buffer }[]): Buffer[] {
  const head = `{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},"metadata":${JSON.stringify(metadata)},"items":[`;
  const pieces: Buffer[] = [Buffer.from(head)];
  for (const [index, item] of items.entries()) {
    if (index > 0) pieces.push(comma);
    pieces.push(item.json);
  }
  pieces.push(listEnd);
  return pieces;
}
