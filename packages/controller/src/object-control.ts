import type { Pod, PodTemplateSpec } from '@orrery/api/core/v1';
import type { ObjectMeta, OwnerReference } from '@orrery/apimachinery';
import { isInvalid, isNotFound, isStatusError, type KubeObject, type NewObject, type Resource } from '@orrery/apimachinery';
import { type Client, type EventRecorder, newControllerRef, silentEventRecorder } from '@orrery/client';

export interface ObjectControlOptions<T extends KubeObject> {
  readonly client: Pick<Client, 'create' | 'delete' | 'patch'>;
  /** What is managed. */
  readonly resource: Resource<T>;
  /** The kind of the owners. */
  readonly owner: Resource;
  /** Told of creations and deletions, on the owner, with upstream's reasons and messages. @default silent */
  readonly recorder?: EventRecorder;
}

/** Writes the objects that owners of one kind manage. Source: controller.RealPodControl and PodControllerRefManager. */
export interface ObjectControl<T extends KubeObject> {
  /** Creates `object` with `owner` as its controller. Records `SuccessfulCreate` or `FailedCreate` on the owner; rejects with the failure. */
  create(object: NewObject<T>, owner: KubeObject, signal?: AbortSignal): Promise<T>;
  /** Deletes. Records `SuccessfulDelete` or `FailedDelete`. Rejects with the failure, also when it is gone already (404). */
  remove(object: T, owner: KubeObject, signal?: AbortSignal): Promise<void>;
  /** Makes `owner` the controller of an orphan. 422 when another one was faster or the object was replaced. */
  adopt(object: T, owner: KubeObject, signal?: AbortSignal): Promise<void>;
  /** Takes the owner's reference off. Does nothing when the object is gone, was replaced, or has none. */
  release(object: T, owner: KubeObject, signal?: AbortSignal): Promise<void>;
}

export function newObjectControl<T extends KubeObject>(options: ObjectControlOptions<T>): ObjectControl<T> {
  const { client, resource, owner: ownerKind, recorder = silentEventRecorder } = options;
  const noun = resource.kind === 'Pod' ? 'pod' : resource.kind;

  return {
    async create(object, owner, signal) {
      try {
        const created = await client.create(resource, controlledBy(object, newControllerRef(owner, ownerKind)), { signal });
        recorder.event(owner, 'Normal', 'SuccessfulCreate', `Created ${noun}: ${created.metadata.name}`);
        return created;
      } catch (error) {
        // In a namespace that is going away nothing can be created, and nobody needs to hear of it.
        if (!isNamespaceTerminating(error)) recorder.event(owner, 'Warning', 'FailedCreate', `Error creating: ${textOf(error)}`);
        throw error;
      }
    },

    async remove(object, owner, signal) {
      try {
        await client.delete(resource, object.metadata, { signal });
        recorder.event(owner, 'Normal', 'SuccessfulDelete', `Deleted ${noun}: ${object.metadata.name}`);
      } catch (error) {
        if (!isNotFound(error)) recorder.event(owner, 'Warning', 'FailedDelete', `Error deleting: ${textOf(error)}`);
        throw error;
      }
    },

    async adopt(object, owner, signal) {
      // The uid makes the server refuse the patch when the object was replaced under its name.
      const patch = { metadata: { ownerReferences: [newControllerRef(owner, ownerKind)], uid: object.metadata.uid } };
      await client.patch(resource, object.metadata, 'strategic', patch, { signal });
    },

    async release(object, owner, signal) {
      const ownerReferences = [{ $patch: 'delete', uid: owner.metadata.uid }];
      const patch = { metadata: { ownerReferences, uid: object.metadata.uid } };
      try {
        await client.patch(resource, object.metadata, 'strategic', patch, { signal });
      } catch (error) {
        if (!isNotFound(error) && !isInvalid(error)) throw error;
      }
    },
  };
}

function controlledBy<T extends KubeObject>(object: NewObject<T>, reference: OwnerReference): NewObject<T> {
  const metadata: Partial<ObjectMeta> = object.metadata;
  return { ...object, metadata: { ...metadata, ownerReferences: [...(metadata.ownerReferences ?? []), reference] } };
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** 403 with the cause that the NamespaceLifecycle admission plugin gives. */
export function isNamespaceTerminating(error: unknown): boolean {
  return isStatusError(error) && (error.details?.causes ?? []).some(({ reason }) => reason === 'NamespaceTerminating');
}

/** The pod that `template` describes for `owner`: named after it, in its namespace. Its owner reference is added by {@link ObjectControl}. */
export function podFromTemplate(template: PodTemplateSpec, owner: KubeObject): NewObject<Pod> {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  return {
    metadata: {
      generateName: `${owner.metadata.name}-`,
      ...(owner.metadata.namespace === undefined ? {} : { namespace: owner.metadata.namespace }),
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(finalizers === undefined ? {} : { finalizers }),
    },
    spec: template.spec,
  } as NewObject<Pod>;
}
