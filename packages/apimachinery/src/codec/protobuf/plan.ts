import type { FactTable } from '../../schema/facts.ts';
import type { SchemaSource, StructSchema } from '../../schema/schema.ts';

/** Field number, type as in the `.proto` file (local names resolve in the message's package), and whether it repeats. */
export type ProtobufField = readonly [number, string, 'repeated'?];
/** Message name (`k8s.io.api.core.v1.Pod`) → field → its facts. */
export type ProtobufTable = Readonly<Record<string, Readonly<Record<string, ProtobufField>>>>;

export type ValueKind =
  | 'string'
  | 'bool'
  | 'int32'
  | 'int64'
  | 'double'
  | 'bytes'
  | 'message'
  | 'quantity'
  | 'time'
  | 'microTime'
  | 'intOrString'
  | 'raw'
  | 'duration'
  | 'stringList';

export interface FieldPlan {
  readonly number: number;
  readonly kind: ValueKind;
  readonly shape: 'single' | 'repeated' | 'map' | 'inline';
  /** Name in JSON; of the message's own fields where `inline`. */
  readonly name: string;
  /** The zero value on the wire means absent. */
  readonly omitEmpty: boolean;
  /** Plan of the message, for `message`. Resolved on first use: types are recursive. */
  plan(): MessagePlan;
}

export interface MessagePlan {
  readonly name: string;
  /** Ascending numbers. */
  readonly fields: readonly FieldPlan[];
  readonly byNumber: ReadonlyMap<number, FieldPlan>;
}

const special: Readonly<Record<string, ValueKind>> = {
  'k8s.io.apimachinery.pkg.api.resource.Quantity': 'quantity',
  'k8s.io.apimachinery.pkg.util.intstr.IntOrString': 'intOrString',
  'k8s.io.apimachinery.pkg.apis.meta.v1.Time': 'time',
  'k8s.io.apimachinery.pkg.apis.meta.v1.MicroTime': 'microTime',
  'k8s.io.apimachinery.pkg.apis.meta.v1.Duration': 'duration',
  'k8s.io.apimachinery.pkg.apis.meta.v1.FieldsV1': 'raw',
  'k8s.io.apimachinery.pkg.runtime.RawExtension': 'raw',
  'k8s.io.apimachinery.pkg.apis.meta.v1.Verbs': 'stringList',
};

const scalars = new Set<string>(['string', 'bool', 'int32', 'int64', 'double', 'bytes'] satisfies ValueKind[]);

/** `k8s.io.api.core.v1.Pod` → `io.k8s.api.core.v1.Pod`. */
const typeNameOf = (message: string): string => message.replace(/^k8s\.io\./, 'io.k8s.');
/** Names differ in case and in marks: `aPIGroup` is `apiGroup`, `ref` is `$ref`. */
const folded = (name: string): string => name.replace(/[^A-Za-z0-9]/g, '').toLowerCase();

/** How messages map to JSON. Plans are made when first asked for, and kept. */
export class Planner {
  readonly #messages: ProtobufTable;
  readonly #types: FactTable;
  readonly #schemas: SchemaSource;
  readonly #plans = new Map<string, MessagePlan>();

  constructor(messages: ProtobufTable, types: FactTable, schemas: SchemaSource) {
    this.#messages = messages;
    this.#types = types;
    this.#schemas = schemas;
  }

  has(message: string): boolean {
    return message in this.#messages;
  }

  /** @param typeName - JSON type whose fields the message's are: its own, or the one it is inlined in. */
  plan(message: string, typeName = typeNameOf(message)): MessagePlan {
    const key = `${message} ${typeName}`;
    const known = this.#plans.get(key);
    if (known !== undefined) return known;
    const table = this.#messages[message];
    if (table === undefined) throw new Error(`no protobuf message ${message}`);
    const struct = typeName in this.#types ? this.#schemas.struct(typeName) : undefined;
    const fields = Object.entries(table)
      .map(([name, field]) => this.#field(message, struct, name, field))
      .sort((a, b) => a.number - b.number);
    const plan = { name: message.slice(message.lastIndexOf('.') + 1), fields, byNumber: new Map(fields.map((f) => [f.number, f])) };
    this.#plans.set(key, plan);
    return plan;
  }

  #field(message: string, struct: StructSchema | undefined, protoName: string, [number, rawType, repeated]: ProtobufField): FieldPlan {
    const map = /^map<string,\s*(.+)>$/.exec(rawType);
    const type = this.#resolve(message, map?.[1] ?? rawType);
    const name = jsonName(struct, protoName);
    const isMessage = !scalars.has(type) && special[type] === undefined && !this.#isStringList(type);
    const inline = name === undefined && isMessage && struct !== undefined;
    const schema = name === undefined ? undefined : struct?.fields.get(name);
    let resolved: MessagePlan | undefined;
    const kind: ValueKind = scalars.has(type) ? (type as ValueKind) : (special[type] ?? (isMessage ? 'message' : 'stringList'));
    return {
      number,
      kind,
      shape: inline ? 'inline' : map !== null ? 'map' : repeated === 'repeated' ? 'repeated' : 'single',
      name: name ?? protoName,
      omitEmpty: schema === undefined ? kind === 'string' || kind === 'bytes' : (schema.omitEmpty ?? false),
      plan: () => {
        resolved ??= this.plan(type, inline ? struct.name : undefined);
        return resolved;
      },
    };
  }

  /** Messages that stand for a named list in Go (ExtraValue): an array in JSON. */
  #isStringList(type: string): boolean {
    const fields = this.#messages[type];
    if (fields === undefined || typeNameOf(type) in this.#types) return false;
    const [entry, ...others] = Object.entries(fields);
    return others.length === 0 && entry?.[0] === 'items' && entry[1][1] === 'string';
  }

  #resolve(message: string, type: string): string {
    if (scalars.has(type)) return type;
    const full = type.startsWith('.') ? type.slice(1) : type;
    if (full in this.#messages) return full;
    const local = `${message.slice(0, message.lastIndexOf('.'))}.${full}`;
    if (local in this.#messages) return local;
    throw new Error(`no protobuf message ${type} (used by ${message})`);
  }
}

/** Undefined: the type has no such field, so it is an embedded struct of Go. Without a type the names are the same. */
function jsonName(struct: StructSchema | undefined, protoName: string): string | undefined {
  if (struct === undefined || struct.fields.has(protoName)) return protoName;
  const wanted = folded(protoName);
  for (const name of struct.fields.keys()) if (folded(name) === wanted) return name;
  return undefined;
}
