import { apiVersionOf, type GroupResource, type GroupVersionKind, type KubeObject, type StructSchema } from '@orrery/apimachinery';
import { CachedEntry, ServedEvent } from '@orrery/storage';
import type { ResourceDefinition } from '../definition.ts';
import { TransientItem } from '../endpoints/transient-item.ts';
import type { Encoded } from '../handler.ts';
import type { ResourceStorage } from '../store/resource-storage.ts';

/** One served resource: its definition, its schema and its objects, in the form in which this group and version shows them. */
export class ResourceEndpoint {
  readonly definition: ResourceDefinition;
  readonly schema: StructSchema;
  readonly storage: ResourceStorage;
  readonly apiVersion: string;
  readonly groupResource: GroupResource;
  readonly groupKind: Pick<GroupVersionKind, 'group' | 'kind'>;
  /** A view's forms of stored entries, made once each and gone with them. */
  readonly #views = new WeakMap<Encoded, Encoded>();
  readonly #events = new WeakMap<ServedEvent, ServedEvent<Encoded>>();

  constructor(definition: ResourceDefinition, schema: StructSchema, storage: ResourceStorage) {
    this.definition = definition;
    this.schema = schema;
    this.storage = storage;
    this.apiVersion = apiVersionOf(definition);
    this.groupResource = { group: definition.group, resource: definition.resource };
    this.groupKind = { group: definition.group, kind: definition.kind };
  }

  /** A stored entry as this resource shows it. */
  show(entry: CachedEntry): Encoded {
    const { viewOf } = this.definition;
    if (viewOf === undefined) return entry;
    const known = this.#views.get(entry);
    if (known !== undefined) return known;
    const shown = new TransientItem(viewOf.fromStored(entry.object), entry.revision);
    this.#views.set(entry, shown);
    return shown;
  }

  showEvent(event: ServedEvent): ServedEvent<Encoded> {
    if (this.definition.viewOf === undefined || !(event.item instanceof CachedEntry)) return event;
    const known = this.#events.get(event);
    if (known !== undefined) return known;
    const shown = new ServedEvent(event.type, this.show(event.item));
    this.#events.set(event, shown);
    return shown;
  }

  /** The stored form of an object of this resource. */
  toStored(object: KubeObject): KubeObject {
    return this.definition.viewOf?.toStored(object) ?? object;
  }
}
