import { isNotFound } from '@orrery/apimachinery';
import type { ApiResult } from '../handler.ts';
import { mutate } from './admission-chain.ts';
import { deleteByName } from './delete.ts';
import type { DeleteOptions } from './delete-options.ts';
import { list } from './list.ts';
import type { WriteRequest } from './write-request.ts';

/** Deletes in flight at once: they share the store's syncs. */
const concurrency = 32;

/** DELETE of a collection: each object by the rules of a single delete. Answers with the list of what was there. */
export async function deleteCollection(request: WriteRequest, options: DeleteOptions): Promise<ApiResult> {
  const { core, endpoint, call } = request;
  const listed = await list(core, endpoint, call);
  await mutate(request, 'DELETE', undefined, undefined);
  for (let at = 0; at < listed.items.length; at += concurrency) {
    await Promise.all(listed.items.slice(at, at + concurrency).map(({ object }) => deleteListed(request, object.metadata, options)));
  }
  return listed;
}

/** An object that is gone already is as wanted. */
async function deleteListed(
  request: WriteRequest,
  { name, namespace }: { readonly name: string; readonly namespace?: string },
  options: DeleteOptions,
): Promise<void> {
  try {
    await deleteByName({ ...request, name, namespace }, name, options);
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
