import type { Draft, JsonObject, KubeObject } from '@orrery/apimachinery';
import type { ApiVerb } from '@orrery/client';
import type { ApiCall, ApiResult, Encoded } from '../handler.ts';
import type { ResourceEndpoint } from '../registry/resource-endpoint.ts';

/** What a subresource of its own may do: read and change objects of any resource with all the rules of the write path. */
export interface SubresourceContext {
  readonly endpoint: ResourceEndpoint;
  /** RFC 3339: the time of this request. */
  readonly now: string;
  readonly dryRun: boolean;
  /** Warning headers of the answer. */
  warn(text: string): void;
  /** The parent object as of now. @throws StatusError NotFound */
  parent(): Promise<Encoded>;
  /** The body decoded as `typeName` (`io.k8s.api.core.v1.Binding`), judged by `fieldValidation`. @throws StatusError BadRequest */
  decodeBody(typeName: string): Draft<JsonObject>;
  /** Runs the mutating, then the validating admission plugins for this call. */
  admit(object: Draft<KubeObject> | undefined, old: KubeObject | undefined): Promise<void>;
  /**
   * Changes the parent in a compare-and-put loop. `change` gets a copy that is its own, may throw a StatusError, and may run
   * more than once. Skips the strategy's validation: the subresource is the rule.
   */
  update(change: (draft: Draft<KubeObject>, old: KubeObject) => void): Promise<Encoded>;
  /** Another call of the same API by the same user, as pods/eviction deletes the pod. */
  call(call: Omit<ApiCall, 'user'>): Promise<ApiResult>;
}

/** A subresource with a meaning of its own, as pods/binding, pods/eviction, serviceaccounts/token. Update-like ones are `partials`. */
export interface SubresourceHandler {
  readonly verbs: readonly ApiVerb[];
  handle(call: ApiCall, context: SubresourceContext, signal: AbortSignal): Promise<ApiResult>;
}
