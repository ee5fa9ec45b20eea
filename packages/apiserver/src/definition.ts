import type { Draft, FieldError, GroupVersionKind, KubeObject } from '@orrery/apimachinery';

/** Who asks. */
export interface UserInfo {
  readonly username: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: { readonly [key: string]: readonly string[] };
}

/** What a strategy may know besides the objects. */
export interface StrategyContext {
  readonly user: UserInfo;
  readonly namespace: string | undefined;
  /** RFC 3339, whole seconds: the time of this request. */
  readonly now: string;
  readonly dryRun: boolean;
}

/**
 * Everything that makes a kind special, apart from its schema. The generic server calls, in this order:
 * create: default → prepareForCreate → validate → warnings; update: default → prepareForUpdate → validateUpdate → warnings.
 *
 * Drafts belong to the request and may be changed; `old` is shared and frozen.
 * `metadata` is the generic server's: names, uid, generation bookkeeping (`generationOf`), timestamps and their validation.
 */
export interface Strategy<T extends KubeObject> {
  /** API defaulting: on every decode of a body and after every patch. Idempotent. */
  default?(draft: Draft<T>): void;
  /** Clear what clients may not set (status on create is cleared generically where the kind has a status subresource). */
  prepareForCreate?(draft: Draft<T>, context: StrategyContext): void;
  validate?(object: T, context: StrategyContext): FieldError[];
  /** Main endpoint: keep `old.status` (done generically where there is a status subresource). */
  prepareForUpdate?(draft: Draft<T>, old: T, context: StrategyContext): void;
  validateUpdate?(object: T, old: T, context: StrategyContext): FieldError[];
  /** Warning headers for create and update. */
  warnings?(object: T, old: T | undefined, context: StrategyContext): string[];
  /** PUT to an absent name creates it. @default false */
  readonly allowCreateOnUpdate?: boolean;
  /** PUT without a resourceVersion overwrites. @default true */
  readonly allowUnconditionalUpdate?: boolean;
  /** `generation` counts changes of `spec` (1 on create). `none`: the kind has no generation. @default 'spec' where the kind has a spec, else 'none' */
  readonly generation?: 'spec' | 'none';
  /** What `generation` counts changes of, where that is not `spec` alone (Deployment: spec and annotations; EndpointSlice: all but metadata). Compared deeply; wins over `generation`. */
  generationOf?(object: T): unknown;
  /** Seconds a delete waits for graceful deletion; undefined: none, deleted at once. @param requested - The client's `gracePeriodSeconds`. */
  gracePeriodSeconds?(object: T, requested: number | undefined): number | undefined;
  /** Further changes of the write that first sets `deletionTimestamp` (namespaces: phase Terminating). Called even when nothing else would keep the object. */
  prepareForDelete?(draft: Draft<T>, context: StrategyContext): void;
  /** While it answers a text the object stays, as if it had a finalizer, and a further DELETE is a 409 Conflict with this text (namespaces: `spec.finalizers`). */
  deletionHeldBy?(object: T): string | undefined;
  /** A delete that removes the object answers with its last state instead of a Status (pods, services, service accounts). @default false */
  readonly returnsDeletedObject?: boolean;
  /** A new object keeps the status that its creator sends (nodes register with theirs). @default false */
  readonly keepsStatusOnCreate?: boolean;
  /** Propagation when the client names none. @default 'Background' */
  readonly defaultPropagation?: 'Background' | 'Orphan';
  /** Name validation. @default DNS subdomain */
  validateName?(name: string, isPrefix: boolean): string[];
}

/** A write-only part of an object with its own rules, as `/status`: the rest is taken from the stored object. */
export interface PartialUpdate<T extends KubeObject> {
  /** What discovery shows. @default get, patch, update (namespaces/finalize has update alone) */
  readonly verbs?: readonly string[];
  default?(draft: Draft<T>): void;
  prepareForUpdate?(draft: Draft<T>, old: T, context: StrategyContext): void;
  validateUpdate?(object: T, old: T, context: StrategyContext): FieldError[];
}

export interface ScaleMapping<T extends KubeObject> {
  specReplicas(object: T): number;
  statusReplicas(object: T): number;
  /** Text form of the pods' selector. */
  selector(object: T): string;
  /** A copy with `spec.replicas` set; shares the rest. */
  withReplicas(object: T, replicas: number): T;
}

/** Reads a selectable field. Declared as a method, so that definitions of different kinds fit one list. */
export type FieldGetter<T> = { get(object: T): string }['get'];

/** Table column. Source: the kind's upstream printer (`pkg/printers/internalversion`). */
export interface Column<T extends KubeObject> {
  readonly name: string;
  /** @default 'string' */
  readonly type?: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly format?: string;
  readonly description?: string;
  /** 0 shows always, 1 only with `-o wide`. @default 0 */
  readonly priority?: number;
  cell(object: T, nowMs: number): string | number | boolean | null;
}

/**
 * Everything about a kind, once. Routes, discovery, OpenAPI, tables, codecs and CLI names derive from it; a custom resource
 * is the same definition made at run time. Built with {@link defineResource}.
 */
export interface ResourceDefinition<T extends KubeObject = KubeObject> extends GroupVersionKind {
  readonly resource: string;
  readonly singular: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly namespaced: boolean;
  /** Type name in the facts: `io.k8s.api.core.v1.Pod`. */
  readonly typeName: string;
  readonly strategy: Strategy<T>;
  /** Verbs. @default get, list, watch, create, update, patch, delete, deletecollection */
  readonly verbs?: readonly string[];
  readonly status?: PartialUpdate<T>;
  readonly scale?: ScaleMapping<T>;
  /** Further update-like subresources (pods/ephemeralcontainers, pods/resize, namespaces/finalize), each a partial update. */
  readonly partials?: Readonly<Record<string, PartialUpdate<T>>>;
  /** Fields that fieldSelector knows, beside metadata.name and metadata.namespace. */
  readonly selectableFields?: Readonly<Record<string, FieldGetter<T>>>;
  readonly columns?: readonly Column<T>[];
  /** `/registry/<storagePrefix>/…`. @default resource (upstream's special cases: `services/specs`, `minions` for nodes, `events`, `leases`, `endpointslices`, …) */
  readonly storagePrefix?: string;
  /** Told by a warning with every answer: since which version not to use this kind, and what instead. Source: the API lifecycle tags of the types. */
  readonly deprecation?: { readonly since: string; readonly replacement?: string };
  /** Objects disappear after this many seconds (events). */
  readonly ttlSeconds?: number;
  /**
   * For kinds that are asked, not kept (access reviews, token reviews): creating one answers it and stores nothing. Such a kind has the
   * one verb create. @param question - Belongs to the request: decoded, defaulted, validated, admitted. @returns The answer, of the same kind.
   */
  answer?(question: Draft<T>, context: StrategyContext, signal: AbortSignal): KubeObject | Promise<KubeObject>;
  /**
   * For kinds that are computed when they are read (metrics): nothing is stored; the verbs are get and list. Selectors are applied
   * afterwards, by labels, name, namespace and `selectableFields`.
   * @param scope - `namespace` absent: every one; `name` present: only that object is needed. @returns Objects with kind and apiVersion.
   */
  compute?(
    scope: { readonly namespace: string | undefined; readonly name: string | undefined },
    signal: AbortSignal,
  ): Promise<readonly T[]>;
  /** Shares the stored objects of another definition, converting on the way (events.k8s.io over core events). */
  readonly viewOf?: { readonly of: ResourceDefinition; fromStored(object: KubeObject): T; toStored(object: T): KubeObject };
}
