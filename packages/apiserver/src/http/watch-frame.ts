import type { Encoded, EncodedEvent } from '../handler.ts';

/** Turns events into the bytes of one form of a watch. */
export interface WatchEncoder {
  readonly contentType: string;
  /** WebSocket messages of this form are text. */
  readonly text: boolean;
  frame(event: EncodedEvent): Buffer;
  /** @param status - A Status object. */
  errorFrame(status: object): Buffer;
}

/** Frames of plain JSON watches: made once per event, shared by all watchers. */
const jsonFrames = new WeakMap<Encoded, Map<string, Buffer>>();

export function jsonFrame(type: string, item: Encoded): Buffer {
  let byType = jsonFrames.get(item);
  const known = byType?.get(type);
  if (known !== undefined) return known;
  const fresh = Buffer.concat([Buffer.from(`{"type":"${type}","object":`), item.json, lineEnd]);
  if (byType === undefined) {
    byType = new Map();
    jsonFrames.set(item, byType);
  }
  byType.set(type, fresh);
  return fresh;
}

const lineEnd = Buffer.from('}\n');

/** @param transform - Another form of the object; undefined for the object itself. */
export function newJsonWatchEncoder(transform: ((item: Encoded) => Encoded) | undefined): WatchEncoder {
  return {
    contentType: 'application/json',
    text: true,
    frame: ({ type, item }) => jsonFrame(type, transform === undefined ? item : transform(item)),
    errorFrame: (status) => Buffer.from(`{"type":"ERROR","object":${JSON.stringify(status)}}\n`),
  };
}
