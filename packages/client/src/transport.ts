import type { Duplex } from 'node:stream';
import type { GroupResource, KubeList, KubeObject, WatchEvent } from '@orrery/apimachinery';

export type ApiVerb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';
export type PatchType = 'json' | 'merge' | 'strategic' | 'apply';

/** Query parameters, in Kubernetes' own names. Each verb reads its own; the others must be absent. */
export interface RequestOptions {
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly resourceVersion?: string | undefined;
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan' | undefined;
  readonly limit?: number | undefined;
  readonly continue?: string | undefined;
  readonly allowWatchBookmarks?: boolean | undefined;
  readonly sendInitialEvents?: boolean | undefined;
  readonly timeoutSeconds?: number | undefined;
  readonly dryRun?: boolean | undefined;
  readonly fieldManager?: string | undefined;
  readonly fieldValidation?: 'Ignore' | 'Warn' | 'Strict' | undefined;
  readonly force?: boolean | undefined;
  /** delete: 0 is at once; absent is the object's own. */
  readonly gracePeriodSeconds?: number | undefined;
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground' | undefined;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string } | undefined;
}

/** One call of the resource API, before it is an HTTP request or a function call. */
export interface ApiRequest extends GroupResource {
  readonly verb: ApiVerb;
  readonly version: string;
  readonly subresource?: string | undefined;
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
  readonly options?: RequestOptions | undefined;
  /** create and update: the object. patch: the patch document. */
  readonly body?: object | undefined;
  readonly patchType?: PatchType | undefined;
}

/** Any other HTTP request: `/version`, `/healthz`, discovery, logs, proxies. */
export interface RawRequest {
  readonly method?: string;
  /** Path and query, as `/api/v1/namespaces/a/pods/b/log?follow=true`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}
export interface RawResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Ends with the answer; breaking out of it closes the connection. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** A connection after `101 Switching Protocols`: the caller owns it, and destroys it. */
export interface UpgradedConnection {
  /** Raw bytes of the new protocol, the first ones included. */
  readonly stream: Duplex;
  /** Of the 101 response: the subprotocol that the server chose is here. Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** How a {@link Client} reaches an API server. Every method rejects with a `StatusError` when the server refuses. */
export interface Transport {
  /** Every verb but watch. Resolves with the object, the list, or (delete) the object or a Status. */
  send(request: ApiRequest, signal?: AbortSignal): Promise<KubeObject | KubeList<KubeObject>>;
  /**
   * Batches of events in revision order, never empty. Ends when the server ends the watch; throws a StatusError
   * (410 `Expired` when the start revision is compacted). Breaking out of it ends the watch. The next batch
   * is fetched only when asked for, so a slow consumer is the server's to drop.
   */
  watch(request: ApiRequest, signal?: AbortSignal): AsyncIterable<readonly WatchEvent<KubeObject>[]>;
  raw(request: RawRequest, signal?: AbortSignal): Promise<RawResponse>;
  /**
   * WebSocket upgrade (exec, attach, port-forward). The caller gives the handshake's headers, `Connection` and `Upgrade` included.
   * Resolves after `101`; rejects with the server's StatusError otherwise. `signal` counts until then.
   */
  upgrade?(request: RawRequest, signal?: AbortSignal): Promise<UpgradedConnection>;
  close(): Promise<void>;
}
