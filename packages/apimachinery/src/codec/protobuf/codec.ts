import { isStatusError, newBadRequest, StatusError } from '../../errors/status-error.ts';
import type { Json, JsonObject } from '../../json.ts';
import type { FactTable } from '../../schema/facts.ts';
import type { SchemaSource } from '../../schema/schema.ts';
import { decodeMessage } from './decode.ts';
import { encodeMessage } from './encode.ts';
import { MessageIndex } from './messages.ts';
import { Planner, type ProtobufTable } from './plan.ts';
import { ProtobufProblem } from './problem.ts';
import { WireReader } from './reader.ts';
import { WireWriter } from './writer.ts';

const prefix = Buffer.from('k8s\0');
const unknownType = 'k8s.io.apimachinery.pkg.runtime.Unknown';
const watchEvent = 'k8s.io.apimachinery.pkg.apis.meta.v1.WatchEvent';
const envelopeDepthMax = 10; // Objects in envelopes inside objects: WatchEvent, List, ControllerRevision.

export interface DecodedProtobuf {
  readonly apiVersion: string;
  readonly kind: string;
  /** Plain JSON with `apiVersion` and `kind`; not yet checked against the schema. */
  readonly value: JsonObject;
}

export interface DecodeProtobufOptions {
  /** What bytes without an envelope are, and envelopes that name no kind. */
  readonly expected?: { readonly apiVersion: string; readonly kind: string } | undefined;
  /** Turns the problem into the request's message. @default the problem */
  readonly describe?: (problem: string) => string;
}

export interface DecodedWatchEvent {
  readonly type: string;
  readonly object: JsonObject;
}

/** Kubernetes' protobuf: messages in an envelope that names their kind. One of it serves a process. */
export interface ProtobufCodec {
  /** Whether the kind has a protobuf form. Custom resources and Table have none. */
  supports(apiVersion: string, kind: string): boolean;
  /** @throws StatusError BadRequest - Not protobuf, or of another type. Never anything else, whatever the bytes. */
  decode(bytes: Uint8Array, options?: DecodeProtobufOptions): DecodedProtobuf;
  /** In an envelope. @throws StatusError NotAcceptable - The kind has no protobuf form. */
  encode(object: object): Buffer;
  /** One event of `application/vnd.kubernetes.protobuf;stream=watch`: length, then the event. @param object - In its envelope. */
  encodeWatchFrame(type: string, object: Uint8Array): Buffer;
  /** The inverse, of one frame without its length. @throws StatusError BadRequest */
  decodeWatchEvent(frame: Uint8Array): DecodedWatchEvent;
}

/** @param messages - Field numbers. @param types - JSON types, which give names and kinds. */
export function newProtobufCodec(messages: ProtobufTable, types: FactTable, schemas: SchemaSource): ProtobufCodec {
  return new TableCodec(messages, types, schemas);
}

class TableCodec implements ProtobufCodec {
  readonly #planner: Planner;
  readonly #index: MessageIndex;

  constructor(messages: ProtobufTable, types: FactTable, schemas: SchemaSource) {
    this.#planner = new Planner(messages, types, schemas);
    this.#index = new MessageIndex(this.#planner, types);
  }

  supports(apiVersion: string, kind: string): boolean {
    return this.#index.find(apiVersion, kind) !== undefined;
  }

  decode(bytes: Uint8Array, { expected, describe = (problem) => problem }: DecodeProtobufOptions = {}): DecodedProtobuf {
    return guarded(describe, () => this.#decode(asBuffer(bytes), expected, 0));
  }

  encode(object: object): Buffer {
    const { apiVersion, kind } = object as { readonly apiVersion?: unknown; readonly kind?: unknown };
    const message = typeof apiVersion === 'string' && typeof kind === 'string' ? this.#index.find(apiVersion, kind) : undefined;
    if (message === undefined) throw new StatusError('NotAcceptable', `${String(apiVersion)} ${String(kind)} has no protobuf form`);
    const writer = new WireWriter();
    writer.string(''); // contentType and contentEncoding are written even when empty, as Go writes them.
    writer.tag(4, 2);
    writer.string('');
    writer.tag(3, 2);
    const start = writer.length;
    encodeMessage(writer, this.#planner.plan(message), object as JsonObject);
    writer.varint(writer.length - start);
    writer.tag(2, 2);
    const typeStart = writer.length;
    writer.string(String(kind));
    writer.tag(2, 2);
    writer.string(String(apiVersion));
    writer.tag(1, 2);
    writer.varint(writer.length - typeStart);
    writer.tag(1, 2);
    writer.bytes(prefix);
    return writer.finish();
  }

  encodeWatchFrame(type: string, object: Uint8Array): Buffer {
    const writer = new WireWriter();
    writer.bytes(object);
    writer.varint(object.length);
    writer.tag(1, 2); // RawExtension.raw
    writer.varint(writer.length);
    writer.tag(2, 2);
    writer.string(type);
    writer.tag(1, 2);
    const event = writer.finish();
    const length = Buffer.alloc(4);
    length.writeUInt32BE(event.length);
    return Buffer.concat([length, event]);
  }

  decodeWatchEvent(frame: Uint8Array): DecodedWatchEvent {
    return guarded(
      (problem) => problem,
      () => {
        const event = this.#message(asBuffer(frame), watchEvent, 0);
        return { type: String(event['type'] ?? ''), object: (event['object'] ?? {}) as JsonObject };
      },
    );
  }

  #message(bytes: Buffer, message: string, depth: number): { [field: string]: Json } {
    const nested = (inner: Buffer): unknown => this.#decode(inner, undefined, depth + 1).value;
    return decodeMessage(new WireReader(bytes), this.#planner.plan(message), nested) as { [field: string]: Json };
  }

  #decode(bytes: Buffer, expected: DecodeProtobufOptions['expected'], depth: number): DecodedProtobuf {
    if (depth > envelopeDepthMax) throw new ProtobufProblem('proto: exceeded max recursion depth');
    if (!bytes.subarray(0, prefix.length).equals(prefix)) {
      if (expected === undefined) throw new ProtobufProblem(notPrefixed);
      return this.#typed(bytes, expected.apiVersion, expected.kind, depth);
    }
    const unknown = readEnvelope(bytes.subarray(prefix.length), this.#planner);
    return this.#typed(unknown.raw, unknown.apiVersion || (expected?.apiVersion ?? ''), unknown.kind || (expected?.kind ?? ''), depth);
  }

  #typed(raw: Buffer, apiVersion: string, kind: string, depth: number): DecodedProtobuf {
    if (kind === '') throw new ProtobufProblem("Object 'Kind' is missing in the protobuf message");
    const message = this.#index.find(apiVersion, kind);
    if (message === undefined)
      throw new ProtobufProblem(`no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)}`);
    return { apiVersion, kind, value: { kind, apiVersion, ...this.#message(raw, message, depth) } };
  }
}

const notPrefixed = 'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]';

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function readEnvelope(bytes: Buffer, planner: Planner): { readonly apiVersion: string; readonly kind: string; readonly raw: Buffer } {
  // `raw` is read as bytes: through the plan it would become base64.
  let raw = Buffer.alloc(0);
  const reader = new WireReader(bytes);
  let typeMeta: Record<string, unknown> = {};
  while (reader.next('Unknown')) {
    const { number, wireType } = reader;
    if (number === 1 && wireType === 2)
      typeMeta = decodeMessage(reader.slice(), planner.plan(`${unknownType.slice(0, -'Unknown'.length)}TypeMeta`), () => undefined);
    else if (number === 2 && wireType === 2) raw = reader.raw() as Buffer<ArrayBuffer>;
    else reader.skip();
  }
  return { apiVersion: String(typeMeta['apiVersion'] ?? ''), kind: String(typeMeta['kind'] ?? ''), raw };
}

/** What hostile bytes do must come out as 400. */
function guarded<T>(describe: (problem: string) => string, decode: () => T): T {
  try {
    return decode();
  } catch (err) {
    if (err instanceof ProtobufProblem) throw newBadRequest(describe(err.message));
    if (isStatusError(err)) throw newBadRequest(describe(err.message));
    throw err;
  }
}
