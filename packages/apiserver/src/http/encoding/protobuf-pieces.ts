import type { ListMeta, ProtobufCodec } from '@orrery/apimachinery';
import { nextTurn } from '@orrery/base';
import type { Encoded } from '../../handler.ts';

/** Made once per object, as its JSON is. */
const cached = new WeakMap<Encoded, Buffer>();

/** The object in its envelope. @throws StatusError NotAcceptable - The kind has no protobuf form. */
export function protobufOf(item: Encoded, codec: ProtobufCodec): Buffer {
  let bytes = cached.get(item);
  if (bytes === undefined) {
    bytes = codec.encode(item.object);
    cached.set(item, bytes);
  }
  return bytes;
}

/** Objects encoded before others get their turn: about 10 ms of work. */
const turnItems = 256;
const magicBytes = 4;
/** Field 2, length-delimited: `raw` of the envelope, and `items` of every list. */
const fieldTwo = 0x12;
/** `contentEncoding` and `contentType`, both empty, as the envelope ends. */
const envelopeEnd = Buffer.from([0x1a, 0x00, 0x22, 0x00]);

/** The pieces of a protobuf list around the items' cached bytes. Every list of Kubernetes has its metadata in field 1 and its items in field 2. */
export async function protobufListPieces(
  codec: ProtobufCodec,
  kind: string,
  apiVersion: string,
  metadata: ListMeta,
  items: readonly Encoded[],
): Promise<Buffer[]> {
  const empty = unwrap(codec.encode({ kind, apiVersion, metadata, items: [] }));
  const body: Buffer[] = [empty.raw];
  let size = empty.raw.length;
  for (const [index, item] of items.entries()) {
    if (index % turnItems === turnItems - 1) await nextTurn();
    const { raw } = unwrap(protobufOf(item, codec));
    const head = lengthPrefix(raw.length);
    body.push(head, raw);
    size += head.length + raw.length;
  }
  return [empty.head, lengthPrefix(size), ...body, envelopeEnd];
}

/** An envelope as this codec writes it: magic, type (field 1), object (field 2), two empty fields. */
function unwrap(envelope: Buffer): { readonly head: Buffer; readonly raw: Buffer } {
  const type = readLength(envelope, magicBytes + 1);
  const head = envelope.subarray(0, type.next + type.length);
  const body = readLength(envelope, head.length + 1);
  return { head, raw: envelope.subarray(body.next, body.next + body.length) };
}

function readLength(bytes: Buffer, start: number): { readonly length: number; readonly next: number } {
  let length = 0;
  let scale = 1;
  for (let at = start; ; at++) {
    const byte = bytes[at] ?? 0;
    length += (byte & 0x7f) * scale;
    if (byte < 0x80) return { length, next: at + 1 };
    scale *= 128;
  }
}

function lengthPrefix(length: number): Buffer {
  const bytes = [fieldTwo];
  let rest = length;
  while (rest >= 0x80) {
    bytes.push((rest % 128) + 0x80);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}
