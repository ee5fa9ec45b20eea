import type { Endpoint, EndpointSlice } from '@orrery/api/discovery/v1';
import { sameLabels } from '../service-endpoints/membership.ts';
import { endpointKey, sameEndpoint } from './endpoint.ts';

type Labels = { readonly [key: string]: string };

export interface Packing {
  /** Contents of new slices. */
  readonly creates: readonly (readonly Endpoint[])[];
  /** Slices with new contents or labels. */
  readonly updates: readonly EndpointSlice[];
  /** Slices that are empty now. */
  readonly deletes: readonly EndpointSlice[];
}

/**
 * Distributes endpoints over the slices of one set of ports with as few writes as can be: an endpoint stays where it is; slices that have
 * to be written anyway are filled first, then one slice in which all the rest fits, then new ones. Source: reconcileByPortMapping.
 * @param desired - By {@link endpointKey}.
 * @param endpointsMax - In one slice.
 */
export function pack(
  slices: readonly EndpointSlice[],
  desired: ReadonlyMap<string, Endpoint>,
  labels: Labels,
  endpointsMax: number,
): Packing {
  const left = new Map(desired);
  const updates: { readonly slice: EndpointSlice; readonly endpoints: Endpoint[] }[] = [];
  const unchanged: EndpointSlice[] = [];
  const deletes: EndpointSlice[] = [];
  for (const slice of slices) {
    const { kept, isChanged } = keep(slice, left);
    if (isChanged && kept.length === 0) deletes.push(slice);
    else if (isChanged || !sameLabels(slice.metadata.labels, labels)) updates.push({ slice, endpoints: kept });
    else unchanged.push(slice);
  }
  // The fullest first: it is the one that a few more fill up.
  for (const { endpoints } of [...updates].sort((a, b) => b.endpoints.length - a.endpoints.length)) fill(endpoints, left, endpointsMax);
  const creates: Endpoint[][] = [];
  while (left.size > 0) {
    const slice = left.size < endpointsMax ? bestFit(unchanged, left.size, endpointsMax) : undefined;
    const endpoints = [...(slice?.endpoints ?? [])];
    fill(endpoints, left, endpointsMax);
    if (slice === undefined) creates.push(endpoints);
    else updates.push({ slice, endpoints });
  }
  return {
    creates,
    updates: updates.map(({ slice, endpoints }) => ({ ...slice, metadata: { ...slice.metadata, labels }, endpoints })),
    deletes,
  };
}

/** The endpoints of `slice` that are still desired, in their new state; takes them out of `left`. */
function keep({ endpoints }: EndpointSlice, left: Map<string, Endpoint>): { readonly kept: Endpoint[]; readonly isChanged: boolean } {
  const before = endpoints ?? [];
  const kept: Endpoint[] = [];
  let isChanged = false;
  for (const endpoint of before) {
    const key = endpointKey(endpoint);
    const wanted = left.get(key);
    if (wanted === undefined) continue;
    left.delete(key);
    if (!sameEndpoint(endpoint, wanted)) isChanged = true;
    kept.push(wanted);
  }
  return { kept, isChanged: isChanged || kept.length !== before.length };
}

function fill(endpoints: Endpoint[], left: Map<string, Endpoint>, endpointsMax: number): void {
  for (const [key, endpoint] of left) {
    if (endpoints.length >= endpointsMax) return;
    endpoints.push(endpoint);
    left.delete(key);
  }
}

/** The slice that is fullest with `count` more in it; undefined: in none is there room for all. Source: getSliceToFill. */
function bestFit(slices: readonly EndpointSlice[], count: number, endpointsMax: number): EndpointSlice | undefined {
  const fits = slices.filter(({ endpoints }) => (endpoints?.length ?? 0) + count <= endpointsMax);
  return fits.sort((a, b) => (b.endpoints?.length ?? 0) - (a.endpoints?.length ?? 0))[0];
}
