import { WireWriter } from '@orrery/apimachinery';
import { RuntimeError } from '@orrery/cri';
import type { FieldPlan, MessagePlan, ValuePlan } from './plan.ts';

type Fields = { readonly [field: string]: unknown };

/** Fields that the message does not have are left out: they belong to a newer CRI. @throws {RuntimeError} `INVALID_ARGUMENT` - A value of a wrong type. */
export function encodeMessage(plan: MessagePlan, value: object): Buffer {
  const writer = new WireWriter();
  writeFields(writer, plan, value as Fields);
  return writer.finish();
}

const wireTypeOf = ({ kind }: ValuePlan): 0 | 1 | 2 =>
  kind === 'string' || kind === 'bytes' || kind === 'message' ? 2 : kind === 'double' ? 1 : 0;

/** The writer goes back to front, so the highest number comes first. */
function writeFields(writer: WireWriter, plan: MessagePlan, value: Fields): void {
  for (const field of plan.fields.toReversed()) {
    const child = value[field.name];
    if (child === undefined || child === null) continue;
    if (field.shape === 'single') writeTagged(writer, field.number, field, child);
    else if (field.shape === 'map') writeMap(writer, field, child as Fields);
    else writeList(writer, field, child);
  }
}

function writeTagged(writer: WireWriter, number: number, field: FieldPlan, value: unknown): void {
  writeValue(writer, field, value);
  writer.tag(number, wireTypeOf(field.value));
}

function writeList(writer: WireWriter, field: FieldPlan, value: unknown): void {
  if (!Array.isArray(value)) throw wrongType(field, 'a list');
  const items: readonly unknown[] = value;
  if (items.length === 0) return;
  if (wireTypeOf(field.value) === 2) {
    for (const item of items.toReversed()) writeTagged(writer, field.number, field, item);
    return;
  }
  const before = writer.length; // Numbers are packed.
  for (const item of items.toReversed()) writeValue(writer, field, item);
  writer.varint(writer.length - before);
  writer.tag(field.number, 2);
}

function writeMap(writer: WireWriter, field: FieldPlan, map: Fields): void {
  for (const key of Object.keys(map).sort().reverse()) {
    const before = writer.length;
    writeTagged(writer, 2, field, map[key]);
    writer.string(key);
    writer.tag(1, 2);
    writer.varint(writer.length - before);
    writer.tag(field.number, 2);
  }
}

function writeValue(writer: WireWriter, field: FieldPlan, value: unknown): void {
  const { value: plan } = field;
  if (plan.kind === 'message') {
    if (typeof value !== 'object' || value === null) throw wrongType(field, 'an object');
    const before = writer.length;
    writeFields(writer, plan.message(), value as Fields);
    writer.varint(writer.length - before);
  } else if (plan.kind === 'string') {
    if (typeof value !== 'string') throw wrongType(field, 'a string');
    writer.string(value);
  } else if (plan.kind === 'bytes') {
    if (!(value instanceof Uint8Array)) throw wrongType(field, 'bytes');
    writer.bytes(value);
    writer.varint(value.length);
  } else if (plan.kind === 'bool') writer.varint(value === true ? 1 : 0);
  else if (plan.kind === 'enum') writer.varint(enumNumber(field, plan.values.numbers, value));
  else if (typeof value !== 'number') throw wrongType(field, 'a number');
  else if (plan.kind === 'double') writer.double(value);
  else if (Number.isSafeInteger(value)) writer.varint(value);
  else writer.varint(Math.trunc(value)); // Nanoseconds since the epoch are beyond 2^53, and as exact as a double is.
}

function enumNumber(field: FieldPlan, numbers: ReadonlyMap<string, number>, value: unknown): number {
  const number = numbers.get(String(value));
  if (number === undefined) throw wrongType(field, `one of ${[...numbers.keys()].join(', ')}`);
  return number;
}

const wrongType = ({ name }: FieldPlan, wanted: string): RuntimeError => new RuntimeError('INVALID_ARGUMENT', `${name}: must be ${wanted}`);
