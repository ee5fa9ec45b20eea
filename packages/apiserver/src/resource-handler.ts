import type { SchemaSource } from '@orrery/apimachinery';
import type { Clock, Random } from '@orrery/base';
import { type Logger, silentLogger } from '@orrery/component';
import type { Store } from '@orrery/storage';
import type { AdmissionPlugin } from './admission.ts';
import type { ResourceDefinition } from './definition.ts';
import { asStatusError, checkVerb, dispatch, endpointOf } from './endpoints/dispatch.ts';
import type { ServerCore } from './endpoints/server-core.ts';
import type { SubresourceHandler } from './endpoints/subresource.ts';
import { watch } from './endpoints/watch.ts';
import type { ApiCall, ApiResult, EncodedEvent, ResourceHandler } from './handler.ts';
import { ResourceEndpoint } from './registry/resource-endpoint.ts';
import { ResourceRegistry } from './registry/resource-registry.ts';
import { StoragePool } from './registry/storage-pool.ts';

export interface ResourceHandlerOptions {
  readonly definitions: readonly ResourceDefinition[];
  /** Stays the caller's: {@link RunningHandler.close} does not close it. */
  readonly store: Store;
  readonly schemas: SchemaSource;
  readonly clock: Clock;
  readonly random: Random;
  /** Asked in this order. @default none */
  readonly admission?: readonly AdmissionPlugin[];
  /** Subresources with a meaning of their own, by `pods/binding` (`deployments.apps/rollback` outside the core group). @default none */
  readonly subresources?: Readonly<Record<string, SubresourceHandler>>;
  /** @default silent */
  readonly log?: Logger;
  /** Freeze every object that is handed out: on in tests. @default false */
  readonly freeze?: boolean;
}

export interface RunningHandler extends ResourceHandler {
  /** Definitions may be added and removed while serving. */
  readonly registry: ResourceRegistry;
  /** Ends all watches and the cache. The store stays open. Idempotent. */
  close(): void;
}

/** The resource API over a store: every verb of every definition, with upstream's semantics. */
export function newResourceHandler(options: ResourceHandlerOptions): RunningHandler {
  const { store, schemas, clock, random, admission = [], subresources = {}, log = silentLogger, freeze = false } = options;
  const pool = new StoragePool({ store, clock, freeze, onError: (error) => log.error('The watch of the store ended.', { error }) });
  const registry = new ResourceRegistry(
    (definition) => new ResourceEndpoint(definition, schemas.struct(definition.typeName), pool.storageOf(definition)),
    ({ definition }) => pool.release(definition),
  );
  for (const definition of options.definitions) registry.add(definition);
  const core: ServerCore = { registry, pool, schemas, clock, random, log, admission, subresources };
  return {
    registry,
    get definitions() {
      return registry.definitions;
    },
    handle: (call, signal): Promise<ApiResult> => dispatch(core, call, signal),
    watch: (call, signal) => watchResource(core, call, signal),
    close: () => pool.close(),
  };
}

async function* watchResource(
  core: ServerCore,
  call: ApiCall,
  signal: AbortSignal,
): AsyncGenerator<readonly EncodedEvent[], void, undefined> {
  try {
    const endpoint = endpointOf(core, call);
    checkVerb(endpoint, 'watch');
    yield* watch(core, endpoint, call, signal);
  } catch (error) {
    throw asStatusError(core, call, error);
  }
}
