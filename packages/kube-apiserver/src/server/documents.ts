import { actionSubresources, loadDescriptions, protobufCodec, schemas, typeTable } from '@orrery/api';
import {
  type DocumentEndpoint,
  newDiscoveryEndpoint,
  newDocumentEncoder,
  newOpenApiEndpoint,
  type ResourceRegistry,
} from '@orrery/apiserver';
import { versionInfo } from './version.ts';

export interface DocumentOptions {
  readonly registry: ResourceRegistry;
  /** `host:port` of the running server. */
  serverAddress(): string;
  /** `resource/subresource` of the core group's actions that this server answers: documents show no other. */
  readonly served: ReadonlySet<string>;
}

/** Discovery and OpenAPI, derived from what is served now. */
export function documentEndpoints({ registry, serverAddress, served }: DocumentOptions): readonly DocumentEndpoint[] {
  const actions = actionSubresources.filter(({ resource, subresource }) => served.has(`${resource}/${subresource}`));
  const source = () => ({ definitions: registry.definitions, actions });
  const generation = () => registry.generation;
  return [
    newDiscoveryEndpoint({ source, generation, serverAddress, encode: newDocumentEncoder(protobufCodec) }),
    newOpenApiEndpoint({
      source,
      generation,
      version: versionInfo.gitVersion,
      load: async () => ({ types: typeTable(), schemas, descriptions: await loadDescriptions() }),
    }),
  ];
}
