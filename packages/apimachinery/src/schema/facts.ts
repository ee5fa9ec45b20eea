/** A type as the facts write it: a scalar (`"string"`, `"integer:int64"`), a type name, an array `[T]` or a map `{"*": T}`. */
export type FactType = string | readonly [FactType] | { readonly '*': FactType };

export interface FactField {
  readonly t: FactType;
  readonly listType?: 'atomic' | 'set' | 'map';
  readonly mapKeys?: readonly string[];
  readonly patchStrategy?: string;
  readonly mergeKey?: string;
  readonly mapType?: 'atomic' | 'granular';
}

/** `x-kubernetes-unions` as published. */
export interface FactUnion {
  readonly discriminator?: string;
  readonly 'fields-to-discriminateBy'?: Readonly<Record<string, string>>;
}

export interface FactDefinition {
  readonly fields?: Readonly<Record<string, FactType | FactField>>;
  readonly required?: readonly string[];
  /** Group, version, kind. Some types (DeleteOptions, WatchEvent) belong to many groups. */
  readonly gvk?: readonly (readonly [string, string, string])[];
  readonly mapType?: 'atomic' | 'granular';
  readonly unions?: readonly FactUnion[];
  /** OpenAPI type and format of the published definition; absent where any JSON is allowed. */
  readonly type?: string;
  readonly format?: string;
}

/** Type name (`io.k8s.api.core.v1.Pod`) → definition. */
export type FactTable = Readonly<Record<string, FactDefinition>>;

/** What the published document does not say about a field. */
export interface FieldOverride {
  /** API default that is part of the schema, used by apply for absent list-map keys. */
  readonly default?: string | number | boolean;
  /** Go's type where it is a named one: only error messages show it (`v1.RestartPolicy`). */
  readonly goType?: string;
  /** `always`: a plain Go struct, serialised as `{}` when empty. `optional`: a pointer, although required. */
  readonly presence?: 'always' | 'optional';
  /** A pointer in Go: its zero value differs from absence. @default true for numbers, booleans and int-or-string, false for strings */
  readonly pointer?: boolean;
}

/** Type name → field → override. */
export type FactOverrides = Readonly<Record<string, Readonly<Record<string, FieldOverride>>>>;

/** Splits the two ways a field is written in the table. */
export function factField(raw: FactType | FactField): FactField {
  return typeof raw === 'object' && 't' in raw ? (raw as FactField) : { t: raw as FactType };
}
