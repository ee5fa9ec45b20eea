import { type Draft, type Json, type JsonObject, setOwn } from '../json.ts';
import { DecodeContext } from './decode-context.ts';
import {
  type Decoder,
  decodeBoolean,
  decodeBytes,
  decodeDouble,
  decodeInteger,
  decodeIntOrString,
  decodeMicroTime,
  decodeQuantity,
  decodeString,
  decodeTime,
  kindOf,
} from './decode-scalar.ts';
import { goTypeOf } from './go-type.ts';
import type { FieldSchema, MapSchema, Schema, StructSchema } from './schema.ts';

export interface DecodeOptions {
  /** What the parser of the body saw twice: `duplicate field "…"` (JSON) or `line 3: key "…" already set in map` (YAML). */
  readonly duplicates?: readonly string[] | undefined;
}

export interface Decoded {
  /** Shares nothing with the input. */
  readonly object: Draft<JsonObject>;
  /**
   * What strict decoding complains of, in upstream's words and order: `unknown field "spec.foo"`, `duplicate field "spec.a"`.
   * Each is a Warning header, or part of the error of {@link strictDecodingError}.
   */
  readonly unknown: string[];
}

/**
 * Decodes plain JSON as Go decodes it into the type of `schema`: the copy on the write path. Unknown fields are dropped and
 * reported, null and what Go takes for empty is absent, field names are case-sensitive, quantities and times become canonical, plain Go structs
 * (`metadata`, `spec`, `status`, `resources`) and required scalars and lists that are missing get their zero value.
 *
 * @throws StatusError BadRequest - A value has the wrong type, in the words of Go's decoder.
 */
export function decodeStruct(schema: StructSchema, value: Json, options: DecodeOptions = {}): Decoded {
  const parts = schema.name.split('.');
  const kind = parts.at(-1) ?? '';
  const headline = `${kind} in version "${parts.at(-2) ?? ''}" cannot be handled as a ${kind}: `;
  const context = new DecodeContext(headline, options.duplicates);
  for (const text of options.duplicates ?? []) if (!text.startsWith('duplicate field ')) context.complain(text);
  const object = decoderOf(schema)(value, context);
  context.finish();
  return { object: object as Draft<JsonObject>, unknown: context.strict };
}

/** A schema node gives the same decoder for ever; nodes live as long as their source. */
const decoders = new WeakMap<Schema, Decoder>();

function decoderOf(schema: Schema, goType?: string): Decoder {
  if (goType !== undefined) return compile(schema, goType);
  const known = decoders.get(schema);
  if (known !== undefined) return known;
  const compiled = compile(schema, undefined);
  decoders.set(schema, compiled);
  return compiled;
}

function compile(schema: Schema, goType: string | undefined): Decoder {
  switch (schema.type) {
    case 'string':
      return decodeString(goType ?? 'string');
    case 'boolean':
      return decodeBoolean;
    case 'int32':
      return decodeInteger(goType ?? 'int32', 32);
    case 'int64':
      return decodeInteger(goType ?? 'int64', 64);
    case 'double':
      return decodeDouble;
    case 'bytes':
      return decodeBytes;
    case 'quantity':
      return decodeQuantity;
    case 'intOrString':
      return decodeIntOrString;
    case 'time':
      return decodeTime;
    case 'microTime':
      return decodeMicroTime;
    case 'any':
      return copyAny;
    case 'list':
      return compileList(schema.items, goType ?? goTypeOf(schema));
    case 'map':
      return compileMap(schema, goType ?? goTypeOf(schema));
    case 'struct':
      return compileStruct(schema);
  }
}

const copyAny: Decoder = (value) => copy(value);

function copy(value: Json): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copy);
  const out: Record<string, unknown> = {};
  for (const [key, child] of Object.entries(value as JsonObject)) if (child !== undefined) setOwn(out, key, copy(child));
  return out;
}

function compileList(items: Schema, goType: string): Decoder {
  let decode: Decoder | undefined; // Items may be the type that is just being compiled.
  return (value, context) => {
    if (!Array.isArray(value)) return context.mismatch(kindOf(value), goType);
    decode ??= decoderOf(items);
    const out: unknown[] = new Array(value.length);
    for (let i = 0; i < value.length; i++) {
      const item = value[i] as Json | undefined;
      context.push(i, '');
      out[i] = item === null || item === undefined ? zeroOf(items, context) : decode(item, context);
      context.pop();
    }
    return out;
  };
}

function compileMap({ values }: MapSchema, goType: string): Decoder {
  const plain = values.type === 'string'; // Labels and annotations.
  let decode: Decoder | undefined;
  return (value, context) => {
    if (typeof value !== 'object' || Array.isArray(value)) return context.mismatch(kindOf(value), goType);
    decode ??= decoderOf(values);
    const out: Record<string, unknown> = {};
    for (const key of Object.keys(value as JsonObject)) {
      const item = (value as JsonObject)[key];
      if (item === undefined) continue;
      if (context.duplicates !== undefined) context.checkDuplicate(key);
      if (plain && typeof item === 'string') {
        setOwn(out, key, item);
        continue;
      }
      context.push(key, '');
      setOwn(out, key, item === null ? zeroOf(values, context) : decode(item, context));
      context.pop();
    }
    return out;
  };
}

interface CompiledField {
  readonly decode: Decoder;
  readonly omitEmpty: boolean;
}

interface CompiledStruct {
  readonly fields: ReadonlyMap<string, CompiledField>;
  /** Fields that get a zero value when missing. */
  readonly filled: readonly FieldSchema[];
}

function compileStruct(schema: StructSchema): Decoder {
  const goName = schema.name.slice(schema.name.lastIndexOf('.') + 1);
  let compiled: CompiledStruct | undefined; // On first use: types are recursive, and most are never used.
  return (value, context) => {
    if (typeof value !== 'object' || Array.isArray(value)) return context.mismatch(kindOf(value), goTypeOf(schema));
    compiled ??= compileFields(schema);
    const { fields, filled } = compiled;
    const out: Record<string, unknown> = {};
    for (const key in value as JsonObject) {
      const item = (value as JsonObject)[key];
      if (item === undefined) continue;
      const field = fields.get(key);
      if (field === undefined) {
        context.unknownField(key);
        continue;
      }
      if (context.duplicates !== undefined) context.checkDuplicate(key);
      if (item === null) continue;
      context.push(key, goName);
      const decoded = field.decode(item, context);
      if (decoded !== undefined && !(field.omitEmpty && isEmpty(decoded))) out[key] = decoded;
      context.pop();
    }
    for (const field of filled) if (out[field.name] === undefined) out[field.name] = zeroOf(field.schema, context);
    return out;
  };
}

function compileFields(schema: StructSchema): CompiledStruct {
  const fields = new Map<string, CompiledField>();
  const filled: FieldSchema[] = [];
  for (const field of schema.fields.values()) {
    fields.set(field.name, { decode: decoderOf(field.schema, field.goType), omitEmpty: field.omitEmpty ?? false });
    if (field.alwaysPresent && hasZero(field.schema)) filled.push(field);
  }
  return { fields, filled };
}

/** Go's `omitempty`. */
function isEmpty(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value === '' || value === 0 || value === false;
  if (Array.isArray(value)) return value.length === 0;
  for (const _ in value) return false;
  return true;
}

/** Zero times, quantities, maps and open values are left absent: Go shows them as null, which readers take as absent. */
function hasZero({ type }: Schema): boolean {
  return type !== 'time' && type !== 'microTime' && type !== 'quantity' && type !== 'map' && type !== 'any' && type !== 'bytes';
}

/** What Go holds where a list or map says null, or a plain field is missing. */
function zeroOf(schema: Schema, context: DecodeContext): unknown {
  switch (schema.type) {
    case 'struct':
      return decoderOf(schema)({}, context);
    case 'list':
      return [];
    case 'map':
      return {};
    case 'boolean':
      return false;
    case 'int32':
    case 'int64':
    case 'double':
    case 'intOrString':
      return 0;
    case 'quantity':
      return '0';
    case 'string':
    case 'bytes':
      return '';
    case 'time':
    case 'microTime':
    case 'any':
      return null;
  }
}
