import type { Json } from '../json.ts';

/** The structural type of a value: decoding, strategic merge, server-side apply, protobuf and OpenAPI all read it. Links are lazy, so recursive types are fine. */
export type Schema = ScalarSchema | StructSchema | ListSchema | MapSchema | AnySchema;

export interface ScalarSchema {
  readonly type: 'string' | 'boolean' | 'int32' | 'int64' | 'double' | 'bytes' | 'quantity' | 'intOrString' | 'time' | 'microTime';
}

/** Any JSON: RawExtension, FieldsV1, JSONSchemaProps' open ends. Unknown fields below it are never reported. Apply treats it as atomic. */
export interface AnySchema {
  readonly type: 'any';
}

export interface StructSchema {
  readonly type: 'struct';
  /** As in the facts: `io.k8s.api.core.v1.Pod`. */
  readonly name: string;
  readonly fields: ReadonlyMap<string, FieldSchema>;
  readonly required: readonly string[];
  /** `x-kubernetes-map-type: atomic`. */
  readonly atomic: boolean;
}

export interface FieldSchema {
  readonly name: string;
  /** Resolved on first use. */
  readonly schema: Schema;
  readonly required: boolean;
  /** Go serialises it even when empty, so decoding fills in its zero value (`{}`, `[]`, `''`, `0`, `false`). */
  readonly alwaysPresent: boolean;
  /** Go leaves out the empty value (`''`, `0`, `false`, `[]`, `{}` of a map): decoding drops it, as reading it back from Go would. @default false */
  readonly omitEmpty?: boolean;
  /** Go's name of the type where it is a named scalar, as `v1.RestartPolicy`: for error messages. */
  readonly goType?: string;
  readonly default?: Json;
  readonly enum?: readonly string[];
  /** Strategic merge: `merge`, `replace`, `retainKeys`, or `merge,retainKeys`. */
  readonly patchStrategy?: string;
  /** Strategic merge: the key of a list of objects. */
  readonly mergeKey?: string;
}

export interface ListSchema {
  readonly type: 'list';
  readonly items: Schema;
  /** Server-side apply. @default 'atomic' */
  readonly listType: 'atomic' | 'set' | 'map';
  /** Keys of a `map` list. */
  readonly mapKeys: readonly string[];
}

export interface MapSchema {
  readonly type: 'map';
  readonly values: Schema;
  readonly atomic: boolean;
}

/** Named types. Unknown names throw: a caller bug. */
export interface SchemaSource {
  struct(name: string): StructSchema;
}
