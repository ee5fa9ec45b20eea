import { isNotFound, type KubeObject, type NamespacedName, type Resource, type Selector } from '@orrery/apimachinery';
import { type Client, controllerRef } from '@orrery/client';
import type { ObjectControl } from './object-control.ts';

export interface ClaimOptions<T extends KubeObject> {
  readonly owner: KubeObject;
  /** Objects that it does not take are released, or left alone. */
  readonly selector: Selector;
  readonly control: Pick<ObjectControl<T>, 'adopt' | 'release'>;
  /** Rejects when the owner may not adopt. Asked once, before the first adoption; see {@link recheckDeletion}. */
  readonly canAdopt: () => Promise<void>;
  /** Narrows the selector, as to active pods. @default everything */
  readonly filter?: (object: T) => boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The objects among `candidates` that the owner manages, after orphans that match were adopted and owned ones that no longer match
 * released. An owner that is being deleted neither adopts nor releases.
 * @throws when an adoption or release failed; all others have been tried. Source: PodControllerRefManager.ClaimPods.
 */
export async function claimObjects<T extends KubeObject>(candidates: readonly T[], options: ClaimOptions<T>): Promise<readonly T[]> {
  let permission: Promise<void> | undefined;
  const canAdopt = (): Promise<void> => {
    permission ??= options.canAdopt();
    return permission;
  };
  const claimed: T[] = [];
  const errors: unknown[] = [];
  for (const object of candidates) {
    try {
      if (await claimOne(object, options, canAdopt)) claimed.push(object);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, `${errors.length} objects could not be claimed`);
  return claimed;
}

async function claimOne<T extends KubeObject>(object: T, options: ClaimOptions<T>, canAdopt: () => Promise<void>): Promise<boolean> {
  const { owner, selector, control, filter, signal } = options;
  const matches = (): boolean => selector.matches(object.metadata.labels ?? {}) && filter?.(object) !== false;
  const ownerIsGoing = owner.metadata.deletionTimestamp !== undefined;
  const reference = controllerRef(object);
  if (reference !== undefined) {
    if (reference.uid !== owner.metadata.uid) return false;
    if (matches()) return true;
    if (!ownerIsGoing) await unlessGone(control.release(object, owner, signal));
    return false;
  }
  if (ownerIsGoing || object.metadata.deletionTimestamp !== undefined || !matches()) return false;
  await canAdopt();
  return unlessGone(control.adopt(object, owner, signal));
}

/** False when what was written to is gone. */
async function unlessGone(write: Promise<void>): Promise<boolean> {
  try {
    await write;
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

/**
 * Asks the server, not the cache, whether `owner` still lives: adopting for an owner whose deletion the cache has not seen would hand the
 * garbage collector objects that were never meant for it. The `canAdopt` of {@link claimObjects}.
 */
export function recheckDeletion<O extends KubeObject>(
  client: Pick<Client, 'get'>,
  resource: Resource<O>,
  owner: O,
  signal?: AbortSignal,
): () => Promise<void> {
  const key: NamespacedName = owner.metadata;
  const name = `${resource.kind} ${key.namespace ?? ''}/${key.name}`;
  return async () => {
    const { metadata } = await client.get(resource, key, { signal });
    if (metadata.uid !== owner.metadata.uid) {
      throw new Error(`original ${name} is gone: got uid ${metadata.uid}, wanted ${owner.metadata.uid}`);
    }
    if (metadata.deletionTimestamp !== undefined) throw new Error(`${name} has just been deleted at ${metadata.deletionTimestamp}`);
  };
}
