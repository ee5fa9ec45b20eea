import type { WireField, WireTable } from './table.ts';

export type Scalar = 'string' | 'bool' | 'bytes' | 'double' | 'int32' | 'int64' | 'uint32' | 'uint64';

export interface EnumPlan {
  readonly numbers: ReadonlyMap<string, number>;
  readonly names: ReadonlyMap<number, string>;
}

/** What one value of a field is. */
export type ValuePlan =
  | { readonly kind: Scalar }
  | { readonly kind: 'enum'; readonly values: EnumPlan }
  | { readonly kind: 'message'; message(): MessagePlan };

export interface FieldPlan {
  readonly number: number;
  /** As in JSON: `logDirectory`. */
  readonly name: string;
  /** The keys of maps are strings. */
  readonly shape: 'single' | 'repeated' | 'map';
  readonly value: ValuePlan;
}

export interface MessagePlan {
  readonly name: string;
  /** Ascending numbers. */
  readonly fields: readonly FieldPlan[];
  readonly byNumber: ReadonlyMap<number, FieldPlan>;
}

const scalars: ReadonlySet<string> = new Set<Scalar>(['string', 'bool', 'bytes', 'double', 'int32', 'int64', 'uint32', 'uint64']);

/** protobuf's JSON names: `log_directory` → `logDirectory`. */
const jsonName = (name: string): string => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** Plans are made when first asked for, and kept. */
export interface Planner {
  /** @param message - Its name with or without the package. */
  plan(message: string): MessagePlan;
}

export function newPlanner(table: WireTable): Planner {
  const plans = new Map<string, MessagePlan>();
  const enums = new Map<string, EnumPlan>();

  const enumOf = (name: string): EnumPlan => {
    const known = enums.get(name);
    if (known !== undefined) return known;
    const entries = Object.entries(table.enums[name] ?? {});
    const made = { numbers: new Map(entries), names: new Map(entries.map(([value, number]) => [number, value])) };
    enums.set(name, made);
    return made;
  };

  /** Inner names first, then those of the package, as protobuf looks them up. */
  const valuePlan = (message: string, type: string): ValuePlan => {
    if (scalars.has(type)) return { kind: type as Scalar };
    for (const name of [`${message}.${type}`, `${table.package}.${type}`, type.replace(/^\./, '')]) {
      if (name in table.enums) return { kind: 'enum', values: enumOf(name) };
      if (name in table.messages) return { kind: 'message', message: () => plan(name) };
    }
    throw new Error(`no protobuf type ${type} (used by ${message})`);
  };

  const fieldOf = (message: string, name: string, [number, type, repeated]: WireField): FieldPlan => {
    const map = /^map<\s*string\s*,\s*(.+)>$/.exec(type)?.[1];
    const shape = map !== undefined ? 'map' : repeated === undefined ? 'single' : 'repeated';
    return { number, name: jsonName(name), shape, value: valuePlan(message, map ?? type) };
  };

  function plan(message: string): MessagePlan {
    const name = message in table.messages ? message : `${table.package}.${message}`;
    const known = plans.get(name);
    if (known !== undefined) return known;
    const facts = table.messages[name];
    if (facts === undefined) throw new Error(`no protobuf message ${message}`);
    const fields = Object.entries(facts).map(([field, fact]) => fieldOf(name, field, fact));
    fields.sort((a, b) => a.number - b.number);
    const made = { name, fields, byNumber: new Map(fields.map((field) => [field.number, field])) };
    plans.set(name, made);
    return made;
  }

  return { plan };
}
