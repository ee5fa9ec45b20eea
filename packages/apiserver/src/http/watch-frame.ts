import type { ProtobufCodec } from '@orrery/apimachinery';
import type { Encoded, EncodedEvent } from '../handler.ts';
import { protobufOf } from './encoding/protobuf-pieces.ts';

/** Turns events into the bytes of one form of a watch. */
export interface WatchEncoder {
  readonly contentType: string;
  /** WebSocket messages of this form are text. */
  readonly text: boolean;
  frame(event: EncodedEvent): Buffer;
  /** @param status - A Status object. */
  errorFrame(status: object): Buffer;
}

/** Another form of the objects, as their metadata alone; undefined for the objects as they are. */
export type WatchTransform = ((event: EncodedEvent) => Encoded) | undefined;

const lineEnd = Buffer.from('}\n');
const jsonLine = (type: string, json: Buffer): Buffer => Buffer.concat([Buffer.from(`{"type":"${type}","object":`), json, lineEnd]);

export function newJsonWatchEncoder(transform: WatchTransform): WatchEncoder {
  return {
    contentType: 'application/json',
    text: true,
    frame: (event) =>
      transform === undefined ? (event.frame ?? jsonLine(event.type, event.item.json)) : jsonLine(event.type, transform(event).json),
    errorFrame: (status) => Buffer.from(`{"type":"ERROR","object":${JSON.stringify(status)}}\n`),
  };
}

/** Frames made once per object and type of event, shared by all watchers. */
const protobufFrames = new WeakMap<Encoded, Map<string, Buffer>>();

export function newProtobufWatchEncoder(transform: WatchTransform, codec: ProtobufCodec): WatchEncoder {
  return {
    contentType: 'application/vnd.kubernetes.protobuf;stream=watch',
    text: false,
    frame(event) {
      const { type } = event;
      const item = transform === undefined ? event.item : transform(event);
      const byType = protobufFrames.get(item) ?? new Map<string, Buffer>();
      let frame = byType.get(type);
      if (frame === undefined) {
        frame = codec.encodeWatchFrame(type, protobufOf(item, codec));
        protobufFrames.set(item, byType.set(type, frame));
      }
      return frame;
    },
    errorFrame: (status) => codec.encodeWatchFrame('ERROR', codec.encode(status)),
  };
}
