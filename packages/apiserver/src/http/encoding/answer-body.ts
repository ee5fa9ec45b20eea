import type { ListMeta, ProtobufCodec } from '@orrery/apimachinery';
import type { Encoded } from '../../handler.ts';
import type { Format } from '../negotiation.ts';
import { listPieces, newline } from './json-list.ts';
import { protobufListPieces, protobufOf } from './protobuf-pieces.ts';
import { toYaml } from './yaml.ts';

/** What is answered, before its format is chosen. */
export interface AnswerBody {
  /** Without a newline at its end. */
  json(): readonly (Buffer | string)[];
  /** @throws StatusError NotAcceptable - There is no protobuf form. */
  protobuf(codec: ProtobufCodec): readonly Buffer[] | Promise<readonly Buffer[]>;
}

/** A value that is served once. */
export const valueBody = (value: object): AnswerBody => ({
  json: () => [JSON.stringify(value)],
  protobuf: (codec) => [codec.encode(value)],
});

/** An object that is kept in its encoded form. */
export const itemBody = (item: Encoded): AnswerBody => ({
  json: () => [item.json],
  protobuf: (codec) => [protobufOf(item, codec)],
});

export const listBody = (kind: string, apiVersion: string, metadata: ListMeta, items: readonly Encoded[]): AnswerBody => ({
  json: () => listPieces(kind, apiVersion, metadata, items),
  protobuf: (codec) => protobufListPieces(codec, kind, apiVersion, metadata, items),
});

/** The bytes of one format. JSON as it is kept is never parsed. */
export async function encodeBody(
  body: AnswerBody,
  format: Format,
  pretty: boolean,
  codec: () => ProtobufCodec,
): Promise<readonly (Buffer | string)[]> {
  if (format === 'protobuf') return body.protobuf(codec());
  const pieces = body.json();
  if (format === 'json' && !pretty) return [...pieces, newline];
  const value: unknown = JSON.parse(pieces.map((piece) => (typeof piece === 'string' ? piece : piece.toString('utf8'))).join(''));
  return format === 'yaml' ? [await toYaml(value)] : [JSON.stringify(value, undefined, 2), newline];
}
