import type { KubeObject } from '@orrery/apimachinery';
import { type CachedEntry, StorageError } from '@orrery/storage';
import type { WriteOutcome } from '../store/resource-storage.ts';
import { storedForm } from './stored-form.ts';
import type { WriteRequest } from './write-request.ts';

/**
 * Puts `object` in the place of `expected`. One that is too large only with its field owners is kept without them; server-side apply, which
 * is about owners, fails. Source: isTooLargeError in the create, update and patch handlers.
 */
export async function putObject(
  { endpoint, call }: WriteRequest,
  key: string,
  expected: CachedEntry | undefined,
  object: KubeObject,
): Promise<WriteOutcome> {
  const { storage } = endpoint;
  try {
    return await storage.put(key, expected, storedForm(endpoint, object));
  } catch (error) {
    const tooLarge = error instanceof StorageError && error.code === 'TooLarge';
    if (!tooLarge || call.patchType === 'apply' || object.metadata.managedFields === undefined) throw error;
  }
  const { managedFields: _owners, ...metadata } = object.metadata;
  return storage.put(key, expected, storedForm(endpoint, { ...object, metadata }));
}
