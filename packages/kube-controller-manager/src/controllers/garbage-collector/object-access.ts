import { isConflict, isNotFound, isStatusError, type KubeObject, type OwnerReference, type Resource } from '@orrery/apimachinery';
import type { Clock } from '@orrery/base';
import { type Client, retryOnConflict } from '@orrery/client';
import type { Identity } from './identity.ts';
import type { KindMapper } from './kind-mapper.ts';

export type Propagation = 'Background' | 'Foreground' | 'Orphan';

/** The collector's reads and writes, each guarded so that it cannot hit another object than the one that was judged. */
export interface ObjectAccess {
  /** Undefined: there is no such object, or another one under its name. */
  get(identity: Identity, signal: AbortSignal): Promise<KubeObject | undefined>;
  /** Deletes what was read as `latest`. 404 when it is gone; 409 when its owners have changed since. */
  delete(identity: Identity, latest: KubeObject, propagation: Propagation, signal: AbortSignal): Promise<void>;
  /** Takes references to owners of these uids off. */
  dropOwners(identity: Identity, ownerUids: readonly string[], signal: AbortSignal): Promise<void>;
  /** Makes every reference one that does not block. */
  unblockOwners(identity: Identity, owners: readonly OwnerReference[], signal: AbortSignal): Promise<void>;
  /** Does nothing when the object is gone or has no such finalizer. */
  removeFinalizer(identity: Identity, finalizer: string, signal: AbortSignal): Promise<void>;
}

export interface ObjectAccessOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly kinds: KindMapper;
}

interface Target {
  readonly resource: Resource;
  readonly key: { readonly name: string; readonly namespace: string | undefined };
}

/** Source: garbagecollector/operations.go and patch.go. */
export function newObjectAccess({ client, clock, kinds }: ObjectAccessOptions): ObjectAccess {
  const targetOf = async ({ apiVersion, kind, name, namespace }: Identity, signal: AbortSignal): Promise<Target> => {
    const resource = await kinds.resourceOf(apiVersion, kind, signal);
    return { resource, key: { name, namespace: resource.namespaced ? namespace : undefined } };
  };

  const read = async ({ resource, key }: Target, signal: AbortSignal): Promise<KubeObject | undefined> => {
    // Whoever misses the namespace of a namespaced kind names nothing.
    if (resource.namespaced && !key.namespace) return undefined;
    try {
      return await client.get(resource, key, { signal });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };

  /** Changes `ownerReferences`: by a strategic patch where the kind knows them, else by replacing the whole list. */
  const patchOwners = async (
    identity: Identity,
    strategic: readonly object[],
    change: (owners: readonly OwnerReference[]) => readonly OwnerReference[],
    signal: AbortSignal,
  ): Promise<void> => {
    const target = await targetOf(identity, signal);
    const { resource, key } = target;
    try {
      const metadata = { uid: identity.uid, ownerReferences: strategic };
      await client.patch(resource, key, 'strategic', { metadata }, { signal });
    } catch (error) {
      if (!isUnsupported(error)) throw error;
      const latest = await read(target, signal);
      if (latest === undefined || latest.metadata.uid !== identity.uid) return;
      const { resourceVersion, ownerReferences = [] } = latest.metadata;
      await client.patch(resource, key, 'merge', { metadata: { resourceVersion, ownerReferences: change(ownerReferences) } }, { signal });
    }
  };

  return {
    async get(identity, signal) {
      const object = await read(await targetOf(identity, signal), signal);
      return object?.metadata.uid === identity.uid ? object : undefined;
    },

    async delete(identity, latest, propagationPolicy, signal) {
      const target = await targetOf(identity, signal);
      const { resource, key } = target;
      const { resourceVersion = '', ownerReferences = [] } = latest.metadata;
      const { uid } = identity;
      try {
        await client.delete(resource, key, { propagationPolicy, preconditions: { uid, resourceVersion }, signal });
      } catch (error) {
        if (!isConflict(error)) throw error;
        const current = await read(target, signal);
        // Something else than its owners has changed: the verdict stands.
        const stands = current?.metadata.uid === uid && current.metadata.resourceVersion !== resourceVersion;
        if (!stands || !sameOwners(current.metadata.ownerReferences ?? [], ownerReferences)) throw error;
        await client.delete(resource, key, { propagationPolicy, preconditions: { uid }, signal });
      }
    },

    dropOwners: (identity, ownerUids, signal) =>
      patchOwners(
        identity,
        ownerUids.map((uid) => ({ $patch: 'delete', uid })),
        (owners) => owners.filter(({ uid }) => !ownerUids.includes(uid)),
        signal,
      ),

    unblockOwners: (identity, owners, signal) =>
      patchOwners(identity, owners.filter(blocks).map(unblocked), (all) => all.map((one) => (blocks(one) ? unblocked(one) : one)), signal),

    async removeFinalizer(identity, finalizer, signal) {
      const target = await targetOf(identity, signal);
      await retryOnConflict(
        async () => {
          const latest = await read(target, signal);
          const { uid, resourceVersion, finalizers = [] } = latest?.metadata ?? {};
          if (uid !== identity.uid || !finalizers.includes(finalizer)) return;
          const metadata = { resourceVersion, finalizers: finalizers.filter((other) => other !== finalizer) };
          try {
            await client.patch(target.resource, target.key, 'merge', { metadata }, { signal });
          } catch (error) {
            if (!isNotFound(error)) throw error;
          }
        },
        { clock, signal },
      );
    },
  };
}

const isUnsupported = (error: unknown): boolean => isStatusError(error) && error.code === 415;
const blocks = ({ blockOwnerDeletion }: OwnerReference): boolean => blockOwnerDeletion === true;
const unblocked = (reference: OwnerReference): OwnerReference => ({ ...reference, blockOwnerDeletion: false });

/** Whether two lists are equal in every field. */
export const sameOwners = (a: readonly OwnerReference[], b: readonly OwnerReference[]): boolean =>
  a === b || (a.length === b.length && a.every((reference, index) => sameOwner(reference, b[index])));

const sameOwner = (a: OwnerReference, b: OwnerReference | undefined): boolean =>
  b !== undefined &&
  a.uid === b.uid &&
  a.name === b.name &&
  a.kind === b.kind &&
  a.apiVersion === b.apiVersion &&
  a.controller === b.controller &&
  a.blockOwnerDeletion === b.blockOwnerDeletion;
