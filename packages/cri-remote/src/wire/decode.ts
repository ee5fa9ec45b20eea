import { ProtobufProblem, WireReader } from '@orrery/apimachinery';
import { RuntimeError } from '@orrery/cri';
import type { FieldPlan, MessagePlan, ValuePlan } from './plan.ts';

type Fields = { [field: string]: unknown };
const TWO_64 = 2 ** 64;

/**
 * Numbers, booleans and enums that are not on the wire are their zero, as protobuf 3 has it; texts, lists, maps and messages are absent.
 * @throws {RuntimeError} `INTERNAL` - These bytes are no such message.
 */
export function decodeMessage(plan: MessagePlan, bytes: Buffer): object {
  try {
    return readFields(new WireReader(bytes), plan);
  } catch (cause) {
    if (!(cause instanceof ProtobufProblem)) throw cause;
    throw new RuntimeError('INTERNAL', `the runtime's answer is no ${plan.name}: ${cause.message}`, { cause });
  }
}

function zerosOf(plan: MessagePlan): Fields {
  const value: Fields = {};
  for (const field of plan.fields) {
    if (field.shape !== 'single') continue;
    const zero = zeroOf(field.value);
    if (zero !== undefined) value[field.name] = zero;
  }
  return value;
}

function zeroOf(plan: ValuePlan): unknown {
  if (plan.kind === 'enum') return plan.values.names.get(0);
  if (plan.kind === 'bool') return false;
  return plan.kind === 'string' || plan.kind === 'bytes' || plan.kind === 'message' ? undefined : 0;
}

function readFields(reader: WireReader, plan: MessagePlan): Fields {
  const value = zerosOf(plan);
  while (reader.next(plan.name)) {
    const field = plan.byNumber.get(reader.number);
    if (field === undefined) reader.skip();
    else if (field.shape === 'single') setValue(value, field, readValue(reader, field.value));
    else if (field.shape === 'map') {
      const map = (value[field.name] ?? {}) as Fields;
      readEntry(reader, field, map);
      value[field.name] = map;
    } else {
      const items = (value[field.name] ?? []) as unknown[];
      readItems(reader, field, items);
      value[field.name] = items;
    }
  }
  return value;
}

function setValue(value: Fields, { name }: FieldPlan, found: unknown): void {
  if (found !== '') value[name] = found;
}

/** Numbers come packed or one by one. */
function readItems(reader: WireReader, { value }: FieldPlan, items: unknown[]): void {
  const isNumber = value.kind !== 'string' && value.kind !== 'bytes' && value.kind !== 'message';
  if (!isNumber || reader.wireType !== 2) items.push(readValue(reader, value));
  else for (const packed = reader.slice(); packed.at < packed.end; ) items.push(readValue(packed, value));
}

function readEntry(reader: WireReader, { value: plan }: FieldPlan, map: Fields): void {
  const entry = reader.slice();
  let key = '';
  let value: unknown = plan.kind === 'string' ? '' : zeroOf(plan);
  while (entry.next('map entry')) {
    if (entry.number === 1) key = entry.string();
    else if (entry.number === 2) value = readValue(entry, plan);
    else entry.skip();
  }
  Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true }); // `__proto__` is a key like any other.
}

function readValue(reader: WireReader, plan: ValuePlan): unknown {
  switch (plan.kind) {
    case 'message':
      return readFields(reader.slice(), plan.message());
    case 'string':
      return reader.string();
    case 'bytes':
      return Buffer.from(reader.raw());
    case 'bool':
      return reader.bool();
    case 'enum': {
      const number = reader.int32();
      return plan.values.names.get(number) ?? plan.values.names.get(0); // A newer value: nobody here knows it.
    }
    case 'double':
      return reader.double();
    case 'int32':
      return reader.int32();
    case 'uint32':
      return reader.int32() >>> 0;
    case 'int64':
      return reader.int64();
    case 'uint64': {
      const number = reader.int64();
      return number < 0 ? number + TWO_64 : number;
    }
  }
}
