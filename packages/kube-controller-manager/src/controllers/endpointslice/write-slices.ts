import { endpointSlices } from '@orrery/api';
import { isNotFound } from '@orrery/apimachinery';
import type { Client } from '@orrery/client';
import { isNamespaceTerminating } from '@orrery/controller';
import type { OwnWrites } from './own-writes.ts';
import type { SlicePlan } from './slice-plan.ts';

/** How soon to look again when the cache has not shown our own writes, in milliseconds. */
export const STALE_MS = 10;

/**
 * Carries out a plan for the service of `key`. Creations first, deletions last: at no time is an endpoint missing. In a namespace that is
 * going away nothing can be made, and nothing needs to be.
 */
export async function writeSlices(
  client: Client,
  writes: OwnWrites,
  key: string,
  { creates, updates, deletes }: Omit<SlicePlan, 'withoutNode'>,
  signal: AbortSignal,
): Promise<void> {
  for (const slice of creates) {
    try {
      writes.wrote(key, await client.create(endpointSlices, slice, { signal }));
    } catch (error) {
      if (isNamespaceTerminating(error)) return;
      throw error;
    }
  }
  for (const slice of updates) writes.wrote(key, await client.update(endpointSlices, slice, { signal }));
  for (const slice of deletes) {
    try {
      await client.delete(endpointSlices, slice.metadata, { signal });
      writes.deleted(slice);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}
