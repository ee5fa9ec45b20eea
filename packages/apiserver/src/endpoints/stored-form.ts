import type { KubeObject } from '@orrery/apimachinery';
import type { ResourceEndpoint } from '../registry/resource-endpoint.ts';

/** The finished draft as it is stored: kind, apiVersion, metadata first (cached bytes rely on it), no resourceVersion, no selfLink. */
export function storedForm(endpoint: ResourceEndpoint, draft: KubeObject): KubeObject {
  const { kind: _kind, apiVersion: _apiVersion, metadata, ...rest } = endpoint.toStored(draft);
  const { resourceVersion: _version, selfLink: _link, ...kept } = metadata;
  const stored = endpoint.definition.viewOf?.of ?? endpoint.definition;
  const apiVersion = stored === endpoint.definition ? endpoint.apiVersion : _apiVersion;
  return { kind: stored.kind, apiVersion, metadata: kept as KubeObject['metadata'], ...rest };
}

/** The object that `draft` would become, as a dry run shows it. */
export function shownForm(draft: KubeObject, resourceVersion: string | undefined): KubeObject {
  const { kind, apiVersion, metadata, ...rest } = draft;
  const { resourceVersion: _version, selfLink: _link, ...kept } = metadata;
  const versioned = resourceVersion === undefined ? kept : { ...kept, resourceVersion };
  return { kind, apiVersion, metadata: versioned as KubeObject['metadata'], ...rest };
}
