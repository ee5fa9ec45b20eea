import type { KubeObject, ListMeta } from '@orrery/apimachinery';
import type { Encoded } from '../handler.ts';

/** An object that is served once and kept nowhere. */
export function encodeValue(value: object): Encoded {
  let json: Buffer | undefined;
  return {
    object: value as KubeObject,
    revision: 0,
    get json() {
      json ??= Buffer.from(JSON.stringify(value));
      return json;
    },
  };
}

export const newline = Buffer.from('\n');
const comma = Buffer.from(',');
const listEnd = Buffer.from(']}\n');

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
