import { actionSubresources, loadDescriptions, protobufCodec, schemas, typeTable } from '@orrery/api';
import {
  type Document,
  type DocumentEndpoint,
  type Format,
  newDiscoveryEndpoint,
  newOpenApiEndpoint,
  type ResourceRegistry,
} from '@orrery/apiserver';
import { versionInfo } from './version.ts';

export interface DocumentOptions {
  readonly registry: ResourceRegistry;
  /** `host:port` of the running server. */
  serverAddress(): string;
  /** `resource/subresource` (`resource.group/…` outside the core group) of the actions that this server answers: discovery shows no other. */
  readonly served: ReadonlySet<string>;
}

/** Discovery and OpenAPI, derived from what is served now. */
export function documentEndpoints({ registry, serverAddress, served }: DocumentOptions): readonly DocumentEndpoint[] {
  const actions = actionSubresources.filter(({ group, resource, subresource }) =>
    served.has(`${group === '' ? resource : `${resource}.${group}`}/${subresource}`),
  );
  const state = { source: () => ({ definitions: registry.definitions, actions }), generation: () => registry.generation };
  return [
    newDiscoveryEndpoint({ ...state, serverAddress, encode: encodeDocument }),
    newOpenApiEndpoint({
      ...state,
      version: versionInfo.gitVersion,
      load: async () => ({ types: typeTable(), schemas, descriptions: await loadDescriptions() }),
    }),
  ];
}

async function encodeDocument(value: object, format: Exclude<Format, 'json'>): Promise<Document> {
  if (format === 'yaml') {
    const { stringify } = await import('yaml');
    return { contentType: 'application/yaml', body: stringify(value) };
  }
  return { contentType: 'application/vnd.kubernetes.protobuf', body: Buffer.from(protobufCodec().encode(value)) };
}
