import type { Pod } from '@orrery/api/core/v1';
import { isNotFound, isStatusError, type KubeObject, type Resource } from '@orrery/apimachinery';
import { type Client, type DiscoveredResource, isPodTerminal, listAll } from '@orrery/client';

/** What is left of one resource after its objects were deleted. */
export interface ContentReport {
  readonly resource: Resource;
  readonly remaining: number;
  /** How many of the remaining objects have each finalizer. */
  readonly finalizers: ReadonlyMap<string, number>;
  /** Until the rest is gone, as far as can be told; 0: cannot. */
  readonly estimateSeconds: number;
  /** Set when something is wrong with what remains. */
  readonly failure?: string;
}

/** For objects that wait for their finalizers. Source: finalizerEstimateSeconds. */
const FINALIZER_ESTIMATE_SECONDS = 15;

export interface ContentScope {
  readonly namespace: string;
  /** How long ago the namespace's deletion began. */
  readonly ageSeconds: number;
  readonly signal: AbortSignal;
}

export const isPods = ({ group, resource }: Resource): boolean => group === '' && resource === 'pods';

/** Deletes every object of `resource` in a namespace, then looks at what is left. Source: deleteAllContentForGroupVersionResource. */
export async function deleteContent(client: Client, resource: DiscoveredResource, scope: ContentScope): Promise<ContentReport> {
  const { namespace, signal } = scope;
  const estimateSeconds = isPods(resource) ? await estimatePods(client, resource, scope) : 0;
  if (!(await deleteCollection(client, resource, scope))) await deleteEach(client, resource, scope);
  if (!resource.verbs.includes('list')) return { resource, remaining: 0, finalizers: new Map(), estimateSeconds };
  const { items } = await listAll(client, resource, { namespace, signal });
  return reportOf(resource, namespace, items, estimateSeconds);
}

/** Judges what is left. Pure. */
export function reportOf(resource: Resource, namespace: string, items: readonly KubeObject[], estimateSeconds: number): ContentReport {
  const finalizers = new Map<string, number>();
  for (const { metadata } of items) {
    for (const finalizer of metadata.finalizers ?? []) finalizers.set(finalizer, (finalizers.get(finalizer) ?? 0) + 1);
  }
  const report = { resource, remaining: items.length, finalizers };
  if (items.length === 0) return { ...report, estimateSeconds: 0 };
  if (estimateSeconds > 0) return { ...report, estimateSeconds };
  if (finalizers.size > 0) return { ...report, estimateSeconds: FINALIZER_ESTIMATE_SECONDS };
  const name = `${resource.group}/${resource.version}, Resource=${resource.resource}`;
  return { ...report, estimateSeconds: 0, failure: `unexpected items still remain in namespace: ${namespace} for gvr: ${name}` };
}

/** Seconds that running pods may take, 0 once that long has passed since the deletion began. */
async function estimatePods(client: Client, resource: Resource, { namespace, ageSeconds, signal }: ContentScope): Promise<number> {
  const { items } = await listAll(client, resource, { namespace, signal });
  const graces = (items as readonly Pod[]).filter((pod) => !isPodTerminal(pod)).map(({ spec }) => spec?.terminationGracePeriodSeconds ?? 0);
  const longest = graces.reduce((a, b) => Math.max(a, b), 0);
  return ageSeconds >= longest ? 0 : longest;
}

/** False: this resource cannot be deleted as a collection. */
async function deleteCollection(client: Client, resource: DiscoveredResource, { namespace, signal }: ContentScope): Promise<boolean> {
  if (!resource.verbs.includes('deletecollection')) return false;
  try {
    await client.deleteCollection(resource, { namespace, propagationPolicy: 'Background', signal });
    return true;
  } catch (error) {
    if (isNotServed(error)) return false;
    throw error;
  }
}

async function deleteEach(client: Client, resource: DiscoveredResource, { namespace, signal }: ContentScope): Promise<void> {
  if (!resource.verbs.includes('list')) return;
  const { items } = await listAll(client, resource, { namespace, signal });
  for (const { metadata } of items) {
    try {
      await client.delete(resource, metadata, { propagationPolicy: 'Background', signal });
    } catch (error) {
      if (!isNotServed(error)) throw error;
    }
  }
}

/** 404 and 405: the object, or the whole resource, is not there. */
const isNotServed = (error: unknown): boolean => isNotFound(error) || (isStatusError(error) && error.code === 405);
