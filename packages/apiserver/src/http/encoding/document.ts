import type { ProtobufCodec } from '@orrery/apimachinery';
import type { Document } from '../documents.ts';
import { contentTypes, type Format } from '../negotiation.ts';
import { encodeBody, valueBody } from './answer-body.ts';

/** Encodes documents, as discovery's, in the formats that are not JSON. */
export function newDocumentEncoder(codec: () => ProtobufCodec): (value: object, format: Exclude<Format, 'json'>) => Promise<Document> {
  return async (value, format) => {
    const typed = 'apiVersion' in value ? value : { ...value, apiVersion: 'v1' }; // APIVersions names its kind alone.
    const pieces = await encodeBody(valueBody(format === 'protobuf' ? typed : value), format, false, codec);
    const body = Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)));
    return { contentType: contentTypes[format], body };
  };
}
