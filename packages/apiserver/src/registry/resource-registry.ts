import type { GroupResource } from '@orrery/apimachinery';
import type { ResourceDefinition } from '../definition.ts';
import type { ResourceEndpoint } from './resource-endpoint.ts';

export interface GroupVersionResource extends GroupResource {
  readonly version: string;
}

/** What is served now. Definitions come and go at run time: custom resources are added here like any other. */
export class ResourceRegistry {
  readonly #endpoints = new Map<string, ResourceEndpoint>();
  readonly #create: (definition: ResourceDefinition) => ResourceEndpoint;
  readonly #release: (endpoint: ResourceEndpoint) => void;
  readonly #listeners = new Set<() => void>();
  /** Grows by one with each change: discovery and OpenAPI are derived again when it has moved. */
  #generation = 0;
  /** Undefined after a change. */
  #definitions: readonly ResourceDefinition[] | undefined;

  /** @param release - Frees what `create` made, when its definition goes. */
  constructor(create: (definition: ResourceDefinition) => ResourceEndpoint, release: (endpoint: ResourceEndpoint) => void) {
    this.#create = create;
    this.#release = release;
  }

  get generation(): number {
    return this.#generation;
  }

  /** The same array until something changes: others derive from it once. */
  get definitions(): readonly ResourceDefinition[] {
    this.#definitions ??= [...this.#endpoints.values()].map(({ definition }) => definition);
    return this.#definitions;
  }

  find(resource: GroupVersionResource): ResourceEndpoint | undefined {
    return this.#endpoints.get(keyOf(resource));
  }

  /** Serves `definition` from now on, in the place of one with the same group, version and resource. */
  add(definition: ResourceDefinition): ResourceEndpoint {
    const endpoint = this.#create(definition);
    const replaced = this.#endpoints.get(keyOf(definition));
    this.#endpoints.set(keyOf(definition), endpoint);
    if (replaced !== undefined) this.#release(replaced);
    this.#changed();
    return endpoint;
  }

  /** Objects stay in the store. Watches of the resource end, unless another version or view shares its objects. */
  remove(resource: GroupVersionResource): void {
    const endpoint = this.find(resource);
    if (endpoint === undefined) return;
    this.#endpoints.delete(keyOf(resource));
    this.#release(endpoint);
    this.#changed();
  }

  /** Calls `listener` after each change. Returns how to stop that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #changed(): void {
    this.#generation++;
    this.#definitions = undefined;
    for (const listener of this.#listeners) listener();
  }
}

const keyOf = ({ group, version, resource }: GroupVersionResource): string => `${group}/${version}/${resource}`;
