import type { FactDefinition, FactField, FactOverrides, FactTable, FactType, FieldOverride } from './facts.ts';
import { factField } from './facts.ts';
import type { FieldSchema, Schema, SchemaSource, StructSchema } from './schema.ts';

const scalars: Readonly<Record<string, Schema>> = {
  string: { type: 'string' },
  'string:byte': { type: 'bytes' },
  boolean: { type: 'boolean' },
  'integer:int32': { type: 'int32' },
  'integer:int64': { type: 'int64' },
  'number:double': { type: 'double' },
};

const open: Schema = { type: 'any' };
const apiextensions = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1';

/** Types whose wire form is not that of a struct. */
const special: Readonly<Record<string, Schema>> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': { type: 'quantity' },
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': { type: 'intOrString' },
  'io.k8s.apimachinery.pkg.apis.meta.v1.Time': { type: 'time' },
  'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime': { type: 'microTime' },
  'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1': open,
  'io.k8s.apimachinery.pkg.apis.meta.v1.Patch': open,
  'io.k8s.apimachinery.pkg.runtime.RawExtension': open,
  [`${apiextensions}.JSON`]: open,
  [`${apiextensions}.JSONSchemaPropsOrArray`]: open,
  [`${apiextensions}.JSONSchemaPropsOrBool`]: open,
  [`${apiextensions}.JSONSchemaPropsOrStringArray`]: open,
};

/**
 * Schemas over a table of facts. A type is built when it is first asked for and then kept, so that the same name always
 * gives the same node: caches may key on it.
 */
export function newSchemaSource(table: FactTable, overrides: FactOverrides = {}): SchemaSource {
  return new TableSource(table, overrides);
}

class TableSource implements SchemaSource {
  readonly #table: FactTable;
  readonly #overrides: FactOverrides;
  /** One node a type name; owner of all nodes. */
  readonly #structs = new Map<string, StructSchema>();

  constructor(table: FactTable, overrides: FactOverrides) {
    this.#table = table;
    this.#overrides = overrides;
  }

  struct(name: string): StructSchema {
    const known = this.#structs.get(name);
    if (known !== undefined) return known;
    const definition = this.#table[name];
    if (definition === undefined || special[name] !== undefined) throw new Error(`no struct type ${name} in the schema table`);
    const built = this.#build(name, definition);
    this.#structs.set(name, built);
    return built;
  }

  #build(name: string, definition: FactDefinition): StructSchema {
    const required = definition.required ?? [];
    const overrides = this.#overrides[name] ?? {};
    const fields = new Map<string, FieldSchema>();
    for (const [field, raw] of Object.entries(definition.fields ?? {})) {
      fields.set(field, this.#field(field, factField(raw), required.includes(field), overrides[field] ?? {}));
    }
    return { type: 'struct', name, fields, required, atomic: definition.mapType === 'atomic' };
  }

  #field(name: string, fact: FactField, required: boolean, override: FieldOverride): FieldSchema {
    let resolved: Schema | undefined; // Links resolve on first use: types are recursive.
    const resolve = (): Schema => {
      resolved ??= this.#type(fact.t, fact);
      return resolved;
    };
    return {
      name,
      get schema() {
        return resolve();
      },
      required,
      alwaysPresent: isAlwaysPresent(name, fact.t, required, override),
      omitEmpty: !required && isPlain(fact.t, override),
      ...(override.default === undefined ? {} : { default: override.default }),
      ...(override.goType === undefined ? {} : { goType: override.goType }),
      ...(fact.patchStrategy === undefined ? {} : { patchStrategy: fact.patchStrategy }),
      ...(fact.mergeKey === undefined ? {} : { mergeKey: fact.mergeKey }),
    };
  }

  #type(type: FactType, fact: Partial<FactField>): Schema {
    if (typeof type === 'string') return this.#named(type, fact.mapType);
    if ('*' in type) return { type: 'map', values: this.#type(type['*'], {}), atomic: fact.mapType === 'atomic' };
    return { type: 'list', items: this.#type(type[0], {}), listType: fact.listType ?? 'atomic', mapKeys: fact.mapKeys ?? [] };
  }

  #named(name: string, mapType: FactField['mapType']): Schema {
    const scalar = scalars[name] ?? special[name];
    if (scalar !== undefined) return scalar;
    const struct = this.struct(name);
    // A field may say otherwise than its type (PersistentVolume's claimRef is granular).
    return mapType === undefined ? struct : { ...struct, atomic: mapType === 'atomic' };
  }
}

/**
 * Whether Go serialises the field even when empty. The published document does not say; the rule of the house is that
 * `metadata`, `spec` and `status` are plain structs, as are required ones, except selectors.
 */
function isAlwaysPresent(name: string, type: FactType, required: boolean, { presence }: FieldOverride): boolean {
  if (presence !== undefined) return presence === 'always';
  if (required) return typeof type !== 'string' || !type.endsWith('.LabelSelector');
  if (typeof type !== 'string' || scalars[type] !== undefined) return false;
  return name === 'metadata' || name === 'spec' || name === 'status';
}

/** Whether the empty value means absent: all optional lists and maps, strings unless pointers, numbers only where facts say so. */
function isPlain(type: FactType, { pointer }: FieldOverride): boolean {
  if (typeof type !== 'string' || type === 'string:byte') return true;
  if (pointer !== undefined) return !pointer;
  return type === 'string';
}
