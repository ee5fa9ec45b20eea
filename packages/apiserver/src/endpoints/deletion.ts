import { formatTime, type KubeObject } from '@orrery/apimachinery';
import type { RequestOptions } from '@orrery/client';
import type { ResourceEndpoint } from '../registry/resource-endpoint.ts';

export const orphanFinalizer = 'orphan';
export const foregroundFinalizer = 'foregroundDeletion';

type Propagation = NonNullable<RequestOptions['propagationPolicy']>;

/**
 * What becomes of the object's dependents: what the client says, else what a finalizer of an earlier delete says, else the
 * kind's default. Source: registry.deletionFinalizersForGarbageCollection.
 */
function propagationOf(endpoint: ResourceEndpoint, object: KubeObject, asked: Propagation | undefined): Propagation {
  if (asked !== undefined) return asked;
  const { finalizers = [] } = object.metadata;
  for (const finalizer of finalizers) {
    if (finalizer === orphanFinalizer) return 'Orphan';
    if (finalizer === foregroundFinalizer) return 'Foreground';
  }
  return endpoint.definition.strategy.defaultPropagation ?? 'Background';
}

/** The finalizers that a delete leaves: others, and the one that makes the garbage collector do what was asked. */
export function finalizersAfter(endpoint: ResourceEndpoint, object: KubeObject, asked: Propagation | undefined): readonly string[] {
  const { finalizers = [] } = object.metadata;
  const propagation = propagationOf(endpoint, object, asked);
  const others = finalizers.filter((finalizer) => finalizer !== orphanFinalizer && finalizer !== foregroundFinalizer);
  if (propagation === 'Orphan') return [...others, orphanFinalizer];
  return propagation === 'Foreground' ? [...others, foregroundFinalizer] : others;
}

/** How a delete treats an object. */
export type DeletionStep =
  /** Nothing holds it. */
  | { readonly type: 'remove' }
  /** It is marked, and waits: for its grace period, its finalizers, or whatever else holds it. */
  | { readonly type: 'mark'; readonly object: KubeObject; readonly thenRemove: boolean }
  /** It is already going, no sooner than asked: nothing changes. */
  | { readonly type: 'pending' };

export interface DeletionRequest {
  readonly nowMs: number;
  readonly gracePeriodSeconds: number | undefined;
  readonly propagationPolicy: Propagation | undefined;
}

/** Decides what a delete does. Pure. Source: rest.BeforeDelete and Store.updateForGracefulDeletionAndFinalizers. */
export function decideDeletion(endpoint: ResourceEndpoint, object: KubeObject, asked: DeletionRequest): DeletionStep {
  const grace = graceOf(endpoint, object, asked);
  if (grace.type === 'pending') return grace;
  const { metadata } = object;
  const finalizers = finalizersAfter(endpoint, object, asked.propagationPolicy);
  const held = finalizers.length > 0 || endpoint.definition.strategy.deletionHeldBy?.(object) !== undefined;
  const touched = { ...metadata, ...(finalizers.length > 0 || metadata.finalizers !== undefined ? { finalizers } : {}) };
  if (grace.type === 'graceful') {
    const marked = withDeletion(touched, grace.deletionTimestamp, grace.seconds);
    return { type: 'mark', object: { ...object, metadata: marked }, thenRemove: !held && grace.seconds === 0 };
  }
  if (!held) return { type: 'remove' };
  return { type: 'mark', object: { ...object, metadata: withDeletion(touched, earlier(metadata, asked.nowMs), 0) }, thenRemove: false };
}

type Grace =
  | { readonly type: 'none' }
  | { readonly type: 'pending' }
  | { readonly type: 'graceful'; readonly seconds: number; readonly deletionTimestamp: string };

function graceOf({ definition }: ResourceEndpoint, object: KubeObject, asked: DeletionRequest): Grace {
  const { strategy } = definition;
  if (strategy.gracePeriodSeconds === undefined) return { type: 'none' };
  const { deletionTimestamp, deletionGracePeriodSeconds = 0 } = object.metadata;
  const requested = asked.gracePeriodSeconds === undefined ? undefined : atLeastOne(asked.gracePeriodSeconds);
  if (deletionTimestamp !== undefined) {
    const left = atLeastOne(deletionGracePeriodSeconds);
    if (left === 0) return { type: 'none' };
    if (requested === undefined || requested >= left) return { type: 'pending' };
    const startedMs = Date.parse(deletionTimestamp) - left * 1000;
    return { type: 'graceful', seconds: requested, deletionTimestamp: formatTime(startedMs + requested * 1000) };
  }
  const seconds = strategy.gracePeriodSeconds(object, requested);
  if (seconds === undefined) return { type: 'none' };
  return { type: 'graceful', seconds, deletionTimestamp: formatTime(asked.nowMs + seconds * 1000) };
}

/** Negative grace periods, which old objects may have, count as one second. */
const atLeastOne = (seconds: number): number => (seconds < 0 ? 1 : seconds);

const earlier = ({ deletionTimestamp }: KubeObject['metadata'], nowMs: number): string =>
  deletionTimestamp !== undefined && Date.parse(deletionTimestamp) <= nowMs ? deletionTimestamp : formatTime(nowMs);

/** The first mark counts as a change of what is desired. */
function withDeletion(metadata: KubeObject['metadata'], deletionTimestamp: string, seconds: number): KubeObject['metadata'] {
  const { generation = 0 } = metadata;
  const counted = generation > 0 && metadata.deletionTimestamp === undefined ? { generation: generation + 1 } : {};
  return { ...metadata, ...counted, deletionTimestamp, deletionGracePeriodSeconds: seconds };
}
