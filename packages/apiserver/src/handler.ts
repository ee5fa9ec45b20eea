import type { Json, KubeObject, ListMeta, WatchEventType } from '@orrery/apimachinery';
import type { ApiRequest } from '@orrery/client';
import type { ResourceDefinition, UserInfo } from './definition.ts';

/** A stored object beside its JSON: lists and watches join `json`, they never serialise again. */
export interface Encoded<T extends KubeObject = KubeObject> {
  readonly object: T;
  /** The object as served, `metadata.resourceVersion` included. Computed once, on first use. */
  readonly json: Buffer;
  readonly revision: number;
}

/** One resource call, authenticated, its body parsed to plain JSON (not yet checked against the schema). */
export interface ApiCall extends Omit<ApiRequest, 'body'> {
  readonly user: UserInfo;
  /** Belongs to the caller: decoding copies it. */
  readonly body?: Json | undefined;
  /** Duplicate keys that the parser saw, as `json: … already set` texts; judged by `options.fieldValidation`. */
  readonly duplicates?: readonly string[] | undefined;
  /** First word of the User-Agent: the default field manager. */
  readonly userAgent?: string | undefined;
}

export type ApiResult =
  | { readonly type: 'object'; readonly code: 200 | 201 | 202; readonly item: Encoded; readonly warnings: readonly string[] }
  /** An answer that is no stored object (Status, Scale, Binding, TokenRequest). */
  | { readonly type: 'value'; readonly code: 200 | 201 | 202; readonly value: KubeObject | object; readonly warnings: readonly string[] }
  | {
      readonly type: 'list';
      readonly listKind: string;
      readonly apiVersion: string;
      readonly metadata: ListMeta;
      readonly items: readonly Encoded[];
    };

export interface EncodedEvent {
  readonly type: WatchEventType;
  /** Of BOOKMARK: an object with nothing but kind, apiVersion, resourceVersion (and the `k8s.io/initial-events-end` annotation). */
  readonly item: Encoded;
  /** The event's line of a JSON watch, newline included; made on first use and shared by all watchers. Absent where nothing is shared. */
  readonly frame?: Buffer;
}

/** The resource API without HTTP: what the HTTP server, and the direct transport, call. Rejects with `StatusError` only. */
export interface ResourceHandler {
  readonly definitions: readonly ResourceDefinition[];
  handle(call: ApiCall, signal: AbortSignal): Promise<ApiResult>;
  /** Batches in revision order. The iterator ends at `timeoutSeconds`; throws 410 `Expired`. */
  watch(call: ApiCall, signal: AbortSignal): AsyncIterable<readonly EncodedEvent[]>;
}
