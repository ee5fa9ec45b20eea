import { createHash } from 'node:crypto';
import { apiVersionOf, type GroupVersionKind } from '@orrery/apimachinery';
import type { ResourceDefinition } from '../definition.ts';
import type { GroupEntry, ResourceEntry, SubresourceEntry, VersionEntry } from './catalog.ts';

/** `GET /api`. @param serverAddress - `host:port` at which clients reach the server. */
export function apiVersions(catalog: readonly GroupEntry[], serverAddress: string): object {
  const versions = catalog.find(({ group }) => group === '')?.versions ?? [];
  return {
    kind: 'APIVersions',
    versions: versions.map(({ version }) => version),
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
  };
}

/** `GET /apis`: all groups but core. */
export function apiGroupList(catalog: readonly GroupEntry[]): object {
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: catalog.filter(({ group }) => group !== '').map(groupFields) };
}

/** `GET /apis/<group>`. */
export function apiGroup(entry: GroupEntry): object {
  return { kind: 'APIGroup', apiVersion: 'v1', ...groupFields(entry) };
}

function groupFields({ group, versions }: GroupEntry): object {
  const name = ({ version }: VersionEntry): object => ({ groupVersion: apiVersionOf({ group, version }), version });
  return { name: group, versions: versions.map(name), preferredVersion: name(versions[0]) };
}

/** `GET /api/v1` and `GET /apis/<group>/<version>`. */
export function apiResourceList(group: string, { version, resources }: VersionEntry): object {
  return {
    kind: 'APIResourceList',
    // The core list carries no apiVersion, as upstream's.
    ...(group === '' ? {} : { apiVersion: 'v1' }),
    groupVersion: apiVersionOf({ group, version }),
    resources: resources.flatMap((entry) => [
      resourceFields(entry),
      ...entry.subresources.map((subresource) => subresourceFields(entry.definition, subresource)),
    ]),
  };
}

function resourceFields({ definition, verbs }: ResourceEntry): object {
  const { resource, singular, namespaced, kind, shortNames, categories } = definition;
  return {
    name: resource,
    singularName: singular,
    namespaced,
    kind,
    verbs,
    ...(shortNames === undefined || shortNames.length === 0 ? {} : { shortNames }),
    ...(categories === undefined || categories.length === 0 ? {} : { categories }),
    ...(definition.answer === undefined ? { storageVersionHash: storageVersionHash(definition.viewOf?.of ?? definition) } : {}),
  };
}

function subresourceFields(definition: ResourceDefinition, { name, kind, verbs }: SubresourceEntry): object {
  const foreign = kind.group !== definition.group || kind.version !== definition.version;
  return {
    name: `${definition.resource}/${name}`,
    singularName: '',
    namespaced: definition.namespaced,
    ...(foreign ? { group: kind.group, version: kind.version } : {}),
    kind: kind.kind,
    verbs,
  };
}

/** Tells clients that the stored form changed, and nothing more: 8 bytes of a hash of group, version and kind, in base64. */
export function storageVersionHash({ group, version, kind }: GroupVersionKind): string {
  return createHash('sha256').update(`${group}/${version}/${kind}`).digest().subarray(0, 8).toString('base64');
}
