import { type FactDefinition, type FactField, type FactType, type FieldSchema, factField } from '@orrery/apimachinery';
import type { Doc, OpenApiTypes } from './source.ts';

const scalars: Readonly<Record<string, Doc>> = {
  string: { type: 'string' },
  'string:byte': { type: 'string', format: 'byte' },
  boolean: { type: 'boolean' },
  'integer:int32': { type: 'integer', format: 'int32' },
  'integer:int64': { type: 'integer', format: 'int64' },
  'number:double': { type: 'number', format: 'double' },
};
const zeros: Readonly<Record<string, unknown>> = { string: '', boolean: false, 'integer:int32': 0, 'integer:int64': 0, 'number:double': 0 };

const quantity = 'io.k8s.apimachinery.pkg.api.resource.Quantity';
const intOrString = 'io.k8s.apimachinery.pkg.util.intstr.IntOrString';
/** Types of our own words: the package of texts has none for them. */
const ownTexts: Readonly<Record<string, string>> = {
  [quantity]:
    'Quantity is an amount of a resource as a decimal number with a suffix: a power of 1024 (Ki, Mi, Gi, Ti, Pi, Ei), a power of 1000 (n, u, m, k, M, G, T, P, E), or an exponent (1e3).',
};

/** Renders types as schema objects of OpenAPI 2 or 3. They differ in references, defaults and unions. */
export class SchemaRenderer {
  readonly #source: OpenApiTypes;
  readonly #version: 2 | 3;
  readonly #prefix: string;
  /** Types that something refers to; grows while it renders. */
  readonly #wanted = new Set<string>();

  constructor(source: OpenApiTypes, version: 2 | 3) {
    this.#source = source;
    this.#version = version;
    this.#prefix = version === 2 ? '#/definitions/' : '#/components/schemas/';
  }

  /** A bare reference, which makes the type part of {@link all}. */
  reference(type: string): Doc {
    this.#wanted.add(type);
    return { $ref: this.#prefix + type };
  }

  /** Definitions of all types referred to so far, and of what they refer to in turn, by name in order. */
  all(): Doc {
    const out = new Map<string, Doc>();
    // A set iterates over what is added meanwhile.
    for (const type of this.#wanted) {
      const definition = this.#source.types[type];
      if (definition !== undefined) out.set(type, this.#definition(type, definition));
    }
    return Object.fromEntries([...out].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #definition(type: string, definition: FactDefinition): Doc {
    const out: Doc = {};
    const text = ownTexts[type] ?? this.#source.descriptions.describe(type, '');
    if (text !== undefined) out['description'] = text;
    if (type === quantity && this.#version === 3) return { ...out, oneOf: [{ type: 'string' }, { type: 'number' }] };
    if (type === intOrString && this.#version === 3) {
      return { ...out, format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] };
    }
    if (definition.type !== undefined) out['type'] = definition.type;
    if (definition.format !== undefined) out['format'] = definition.format;
    if (definition.fields !== undefined) out['properties'] = this.#properties(type, definition.fields);
    if (definition.required !== undefined) out['required'] = definition.required;
    if (definition.gvk !== undefined) {
      out['x-kubernetes-group-version-kind'] = definition.gvk.map(([group, version, kind]) => ({ group, kind, version }));
    }
    if (definition.mapType !== undefined) out['x-kubernetes-map-type'] = definition.mapType;
    if (definition.unions !== undefined) out['x-kubernetes-unions'] = definition.unions;
    return out;
  }

  #properties(type: string, fields: NonNullable<FactDefinition['fields']>): Doc {
    const { fields: schemas } = this.#source.schemas.struct(type);
    const out: Doc = {};
    for (const [name, raw] of Object.entries(fields)) {
      out[name] = this.#property(factField(raw), schemas.get(name), this.#source.descriptions.describe(type, name));
    }
    return out;
  }

  #property(fact: FactField, schema: FieldSchema | undefined, text: string | undefined): Doc {
    const out: Doc = {};
    if (text !== undefined) out['description'] = text;
    const shown = schema?.default ?? (schema?.alwaysPresent === true && isSingle(fact.t) ? zeroOf(fact.t) : undefined);
    Object.assign(out, this.#type(fact.t, shown, text !== undefined));
    const values = enumOf(text);
    if (values !== undefined && out['type'] === 'string') out['enum'] = values;
    if (fact.listType !== undefined) out['x-kubernetes-list-type'] = fact.listType;
    if (fact.mapKeys !== undefined) out['x-kubernetes-list-map-keys'] = fact.mapKeys;
    if (fact.patchStrategy !== undefined) out['x-kubernetes-patch-strategy'] = fact.patchStrategy;
    if (fact.mergeKey !== undefined) out['x-kubernetes-patch-merge-key'] = fact.mergeKey;
    if (fact.mapType !== undefined) out['x-kubernetes-map-type'] = fact.mapType;
    return out;
  }

  /** @param shown - The default, which version 2 does not publish. @param hasSiblings - Version 3 then wraps a reference. */
  #type(type: FactType, shown: unknown, hasSiblings: boolean): Doc {
    const withDefault: Doc = shown === undefined || this.#version === 2 ? {} : { default: shown };
    if (typeof type !== 'string') {
      const child = '*' in type ? type['*'] : type[0];
      const rendered = this.#type(child, zeroOf(child), false);
      return '*' in type ? { type: 'object', additionalProperties: rendered } : { type: 'array', items: rendered };
    }
    const scalar = scalars[type];
    if (scalar !== undefined) return { ...scalar, ...withDefault };
    const reference = this.reference(type);
    return this.#version === 3 && (hasSiblings || shown !== undefined) ? { allOf: [reference], ...withDefault } : reference;
  }
}

const isSingle = (type: FactType): boolean => typeof type === 'string';

/** Go's empty value of a plain field or element; undefined where the type has no literal one. */
function zeroOf(type: FactType): unknown {
  if (typeof type !== 'string') return undefined;
  if (scalars[type] !== undefined) return zeros[type];
  return type.startsWith('io.k8s.apiextensions') || type.endsWith('.Time') || type.endsWith('.MicroTime') ? undefined : {};
}

/** The texts list what an enumeration allows: ` - "TCP" is …`. */
function enumOf(text: string | undefined): string[] | undefined {
  const list = text?.split('Possible enum values:\n')[1];
  if (list === undefined) return undefined;
  return [...list.matchAll(/^ - `"(.*?)"`/gm)].map(([, value = '']) => value);
}
