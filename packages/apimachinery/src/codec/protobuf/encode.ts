import { newBadRequest } from '../../errors/status-error.ts';
import { parseRfc3339 } from '../../time.ts';
import { wireTypeOf } from './decode.ts';
import type { FieldPlan, MessagePlan } from './plan.ts';
import type { WireWriter } from './writer.ts';

type Fields = { readonly [field: string]: unknown };

/** Writes the fields of `value` that the message knows. Fields of a wrong JSON type are refused with 400. */
export function encodeMessage(writer: WireWriter, plan: MessagePlan, value: Fields): void {
  // Back to front: the highest number first.
  for (let i = plan.fields.length - 1; i >= 0; i--) {
    const field = plan.fields[i];
    if (field === undefined) continue;
    if (field.shape === 'inline') encodeInline(writer, field, value);
    else {
      const child = value[field.name]; // No field has the name of a member of Object.
      if (child !== undefined && child !== null) encodeField(writer, field, child);
    }
  }
}

/** An embedded struct is always there in Go, but an empty one says nothing. */
function encodeInline(writer: WireWriter, field: FieldPlan, value: Fields): void {
  const before = writer.length;
  encodeMessage(writer, field.plan(), value);
  const size = writer.length - before;
  if (size === 0) return;
  writer.varint(size);
  writer.tag(field.number, 2);
}

function encodeField(writer: WireWriter, field: FieldPlan, value: unknown): void {
  if (field.shape === 'single') {
    encodeValue(writer, field, value);
    writer.tag(field.number, wireTypeOf(field));
  } else if (field.shape === 'repeated') {
    const items = asArray(value, field);
    for (let i = items.length - 1; i >= 0; i--) {
      encodeValue(writer, field, items[i]);
      writer.tag(field.number, wireTypeOf(field));
    }
  } else encodeMap(writer, field, asFields(value, field));
}

/** Keys in order, as Go writes them. */
function encodeMap(writer: WireWriter, field: FieldPlan, map: Fields): void {
  const keys = Object.keys(map).sort().reverse();
  for (const key of keys) {
    const before = writer.length;
    encodeValue(writer, field, map[key]);
    writer.tag(2, wireTypeOf(field));
    writer.string(key);
    writer.tag(1, 2);
    writer.varint(writer.length - before);
    writer.tag(field.number, 2);
  }
}

function encodeValue(writer: WireWriter, field: FieldPlan, value: unknown): void {
  const { kind } = field;
  if (kind === 'string') writer.string(value === null ? '' : asString(value, field));
  else if (kind === 'bool') writer.varint(value === true ? 1 : 0);
  else if (kind === 'int32' || kind === 'int64') writer.varint(asInteger(value, field));
  else if (kind === 'double') writer.double(Number(value));
  else if (kind === 'bytes') encodeBytes(writer, Buffer.from(value === null ? '' : asString(value, field), 'base64'));
  else {
    const before = writer.length;
    if (kind === 'raw') encodeRaw(writer, value);
    else encodeStruct(writer, field, value);
    writer.varint(writer.length - before);
  }
}

function encodeRaw(writer: WireWriter, value: unknown): void {
  encodeBytes(writer, Buffer.from(JSON.stringify(value)));
  writer.tag(1, 2);
}

function encodeBytes(writer: WireWriter, bytes: Uint8Array): void {
  writer.bytes(bytes);
  writer.varint(bytes.length);
}

function encodeStruct(writer: WireWriter, field: FieldPlan, value: unknown): void {
  if (field.kind === 'message') encodeMessage(writer, field.plan(), value === null ? {} : asFields(value, field));
  else if (field.kind === 'quantity') {
    writer.string(value === null ? '0' : String(value));
    writer.tag(1, 2);
  } else if (field.kind === 'intOrString') encodeIntOrString(writer, value);
  else if (field.kind === 'stringList') {
    for (const item of [...asArray(value, field)].reverse()) {
      writer.string(asString(item, field));
      writer.tag(1, 2);
    }
  } else if (field.kind === 'duration') {
    writer.varint(Math.round(Number.parseFloat(asString(value, field)) * 1e9));
    writer.tag(1, 0);
  } else if (value !== null) encodeTime(writer, field, asString(value, field));
}

function encodeIntOrString(writer: WireWriter, value: unknown): void {
  const isText = typeof value === 'string';
  writer.string(isText ? value : '');
  writer.tag(3, 2);
  writer.varint(typeof value === 'number' ? value : 0);
  writer.tag(2, 0);
  writer.varint(isText ? 1 : 0);
  writer.tag(1, 0);
}

function encodeTime(writer: WireWriter, field: FieldPlan, text: string): void {
  const time = parseRfc3339(text, 'seconds');
  if (typeof time === 'string') throw newBadRequest(`${field.name}: ${time}`);
  if (time.isZero) return;
  writer.varint(field.kind === 'time' ? 0 : time.nanos);
  writer.tag(2, 0);
  writer.varint(time.seconds);
  writer.tag(1, 0);
}

function asString(value: unknown, field: FieldPlan): string {
  if (typeof value === 'string') return value;
  throw unfit(field, 'a string');
}

function asInteger(value: unknown, field: FieldPlan): number {
  if (value === null) return 0;
  if (typeof value === 'number' && Number.isInteger(value)) return value;
  throw unfit(field, 'an integer');
}

function asArray(value: unknown, field: FieldPlan): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw unfit(field, 'a list');
}

function asFields(value: unknown, field: FieldPlan): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  throw unfit(field, 'an object');
}

const unfit = (field: FieldPlan, wanted: string): Error => newBadRequest(`protobuf: field ${field.name} must be ${wanted}`);
