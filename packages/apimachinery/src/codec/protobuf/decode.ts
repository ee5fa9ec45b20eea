import { setOwn } from '../../json.ts';
import { formatMicroTime, formatTime } from '../../time.ts';
import { parseJson } from '../parse-json.ts';
import type { FieldPlan, MessagePlan } from './plan.ts';
import { ProtobufProblem } from './problem.ts';
import type { WireReader } from './reader.ts';

/** Reads an object in an envelope that stands inside another (a RawExtension of a typed client). */
export type NestedDecoder = (bytes: Buffer) => unknown;

const depthMax = 100; // The deepest type of the API nests 20 levels.
const envelopePrefix = Buffer.from('k8s\0');

type Fields = Record<string, unknown>;

/** A message as JSON. @param into - For embedded structs: the object that gets the fields. */
export function decodeMessage(reader: WireReader, plan: MessagePlan, nested: NestedDecoder, depth = 0, into: Fields = {}): Fields {
  if (depth > depthMax) throw new ProtobufProblem('proto: exceeded max recursion depth');
  while (reader.next(plan.name)) {
    const field = plan.byNumber.get(reader.number);
    if (field === undefined) reader.skip();
    else decodeField(reader, field, reader.wireType, nested, depth, into);
  }
  return into;
}

function decodeField(reader: WireReader, field: FieldPlan, wireType: number, nested: NestedDecoder, depth: number, out: Fields): void {
  const { shape, name } = field;
  if (shape === 'repeated' && wireType === 2 && isNumeric(field)) {
    const items = listAt(out, name);
    const packed = reader.slice();
    while (packed.at < packed.end) items.push(decodeValue(packed, field, nested, depth));
    return;
  }
  const expected = shape === 'map' ? 2 : wireTypeOf(field);
  if (wireType !== expected) throw new ProtobufProblem(`proto: wrong wireType = ${wireType} for field ${goName(name)}`);
  if (shape === 'inline') decodeMessage(reader.slice(), field.plan(), nested, depth + 1, out);
  else if (shape === 'map') decodeEntry(reader.slice(), field, nested, depth, out);
  else {
    const value = decodeValue(reader, field, nested, depth);
    if (shape === 'repeated') listAt(out, name).push(value ?? null);
    else if (value === undefined || (field.omitEmpty && isZero(value))) delete out[name];
    else out[name] = value;
  }
}

function listAt(out: Fields, name: string): unknown[] {
  const known = out[name];
  if (Array.isArray(known)) return known;
  const list: unknown[] = [];
  out[name] = list;
  return list;
}

function decodeEntry(reader: WireReader, field: FieldPlan, nested: NestedDecoder, depth: number, out: Fields): void {
  let key = '';
  let value: unknown;
  while (reader.next('MapEntry')) {
    const { number, wireType } = reader;
    if (number === 1 && wireType === 2) key = reader.string();
    else if (number === 2 && wireType === wireTypeOf(field)) value = decodeValue(reader, field, nested, depth);
    else reader.skip();
  }
  const known = out[field.name];
  const map: Fields = typeof known === 'object' && known !== null ? (known as Fields) : {};
  setOwn(map, key, value ?? zeroOf(field));
  out[field.name] = map;
}

const isZero = (value: unknown): boolean => value === '' || value === 0 || value === false;
const isNumeric = ({ kind }: FieldPlan): boolean => kind === 'int32' || kind === 'int64' || kind === 'bool' || kind === 'double';
const goName = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

function zeroOf({ kind }: FieldPlan): unknown {
  if (kind === 'message') return {};
  if (kind === 'stringList') return [];
  if (kind === 'quantity') return '0';
  if (kind === 'bool') return false;
  return kind === 'string' || kind === 'bytes' ? '' : 0;
}

/** Wire type of one value. */
export function wireTypeOf({ kind }: FieldPlan): 0 | 1 | 2 {
  if (kind === 'int32' || kind === 'int64' || kind === 'bool') return 0;
  return kind === 'double' ? 1 : 2;
}

/** Undefined: Go's zero, which JSON leaves out. */
function decodeValue(reader: WireReader, field: FieldPlan, nested: NestedDecoder, depth: number): unknown {
  switch (field.kind) {
    case 'string':
      return reader.string();
    case 'bool':
      return reader.bool();
    case 'int32':
      return reader.int32();
    case 'int64':
      return reader.int64();
    case 'double':
      return reader.double();
    case 'bytes':
      return reader.raw().toString('base64');
    case 'message':
      return decodeMessage(reader.slice(), field.plan(), nested, depth + 1);
    case 'quantity':
      return scalarsOf(reader.slice(), 'Quantity').strings[1] ?? '0';
    case 'intOrString':
      return decodeIntOrString(reader.slice());
    case 'time':
    case 'microTime':
      return decodeTime(reader.slice(), field.kind);
    case 'raw':
      return decodeRaw(reader.slice(), nested);
    case 'duration':
      return `${(scalarsOf(reader.slice(), 'Duration').numbers[1] ?? 0) / 1e9}s`;
    case 'stringList':
      return decodeStringList(reader.slice());
  }
}

/** The numbers and strings of a small message, by field number. */
function scalarsOf(reader: WireReader, name: string): { readonly numbers: number[]; readonly strings: string[] } {
  const numbers: number[] = [];
  const strings: string[] = [];
  while (reader.next(name)) {
    const { number, wireType } = reader;
    if (wireType === 0 && number < 8) numbers[number] = reader.int64();
    else if (wireType === 2 && number < 8) strings[number] = reader.string();
    else reader.skip();
  }
  return { numbers, strings };
}

function decodeIntOrString(reader: WireReader): number | string {
  const { numbers, strings } = scalarsOf(reader, 'IntOrString');
  return numbers[1] === 1 ? (strings[3] ?? '') : (numbers[2] ?? 0) | 0;
}

const zeroTimeSeconds = -62_135_596_800; // 0001-01-01T00:00:00Z.
const lastSecond = 253_402_300_799; // 9999-12-31T23:59:59Z: the last that RFC 3339 can write.

function decodeTime(reader: WireReader, kind: 'time' | 'microTime'): string | undefined {
  if (reader.at === reader.end) return undefined;
  const { numbers } = scalarsOf(reader, 'Timestamp');
  const seconds = numbers[1] ?? 0;
  const micros = Math.floor(((numbers[2] ?? 0) | 0) / 1000);
  if (seconds === zeroTimeSeconds && micros === 0) return undefined;
  if (seconds < zeroTimeSeconds || seconds > lastSecond || micros < 0 || micros > 999_999)
    throw new ProtobufProblem('proto: time out of range');
  if (kind === 'time') return formatTime(seconds * 1000);
  return `${formatMicroTime(seconds * 1000).slice(0, 20)}${String(micros).padStart(6, '0')}Z`;
}

/** JSON in bytes, or an object in its own envelope. */
function decodeRaw(reader: WireReader, nested: NestedDecoder): unknown {
  let raw: Buffer | undefined;
  while (reader.next('RawExtension')) {
    const { number, wireType } = reader;
    if (number === 1 && wireType === 2) raw = reader.raw();
    else reader.skip();
  }
  if (raw === undefined || raw.length === 0) return undefined;
  if (raw.subarray(0, envelopePrefix.length).equals(envelopePrefix)) return nested(raw);
  return parseJson(raw, { describe: (problem) => problem }).value;
}

function decodeStringList(reader: WireReader): string[] {
  const items: string[] = [];
  while (reader.next('List')) {
    const { number, wireType } = reader;
    if (number === 1 && wireType === 2) items.push(reader.string());
    else reader.skip();
  }
  return items;
}
