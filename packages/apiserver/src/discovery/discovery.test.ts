import { actionSubresources } from '@orrery/api';
import { describe, expect, test } from 'vitest';
import type { ResourceDefinition } from '../definition.ts';
import type { Accepted } from '../http/negotiation.ts';
import { apiGroupDiscoveryList } from './aggregated.ts';
import { catalogOf, compareVersions } from './catalog.ts';
import { newDiscoveryEndpoint } from './endpoint.ts';
import { apiGroupList, apiResourceList, apiVersions, storageVersionHash } from './legacy.ts';

const define = (group: string, version: string, kind: string, extra: Partial<ResourceDefinition> = {}): ResourceDefinition => ({
  group,
  version,
  kind,
  resource: `${kind.toLowerCase()}s`,
  singular: kind.toLowerCase(),
  namespaced: true,
  typeName: '',
  strategy: {},
  ...extra,
});

const scale = { specReplicas: () => 0, statusReplicas: () => 0, selector: () => '', withReplicas: <T>(object: T) => object };
const event = define('', 'v1', 'Event', { shortNames: ['ev'] });
const definitions: readonly ResourceDefinition[] = [
  define('example.com', 'v1beta1', 'Widget'),
  define('example.com', 'v1', 'Widget'),
  define('events.k8s.io', 'v1', 'Event', { viewOf: { of: event, fromStored: (object) => object, toStored: (object) => object } }),
  define('apps', 'v1', 'Deployment', { shortNames: ['deploy'], categories: ['all'], status: {}, scale }),
  event,
  define('', 'v1', 'Namespace', {
    namespaced: false,
    verbs: ['get', 'list', 'create'],
    status: {},
    partials: { finalize: { verbs: ['update'] } },
  }),
  define('', 'v1', 'Pod', { shortNames: ['po'], categories: ['all'], status: {}, partials: { resize: {} } }),
];
const catalog = catalogOf({ definitions, actions: actionSubresources });
const group = (name: string) => {
  const found = catalog.find((entry) => entry.group === name);
  if (found === undefined) throw new Error(`no group ${name}`);
  return found;
};

test('groups come by priority, versions by age of their kind', () => {
  expect(catalog.map(({ group: name, versions }) => [name, ...versions.map(({ version }) => version)])).toEqual([
    ['', 'v1'],
    ['apps', 'v1'],
    ['events.k8s.io', 'v1'],
    ['example.com', 'v1', 'v1beta1'],
  ]);
  const versions = ['foo', 'v1alpha1', 'v1', 'v11beta2', 'v2', 'v10', 'v1beta1', 'bar'];
  expect(versions.sort(compareVersions)).toEqual(['v10', 'v2', 'v1', 'v11beta2', 'v1beta1', 'v1alpha1', 'bar', 'foo']);
});

test('the core version list names the server', () => {
  expect(apiVersions(catalog, '127.0.0.1:6443')).toEqual({
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '127.0.0.1:6443' }],
  });
  expect(apiGroupList(catalog)).toMatchObject({ kind: 'APIGroupList', apiVersion: 'v1' });
});

test('resources and their subresources, as upstream lists them', () => {
  const list = apiResourceList('', group('').versions[0]) as { apiVersion?: string; resources: { name: string }[] };
  expect(list.apiVersion).toBeUndefined();
  expect(list.resources.map(({ name }) => name)).toEqual([
    'events',
    'namespaces',
    'namespaces/finalize',
    'namespaces/status',
    'pods',
    'pods/attach',
    'pods/binding',
    'pods/eviction',
    'pods/exec',
    'pods/log',
    'pods/portforward',
    'pods/proxy',
    'pods/resize',
    'pods/status',
  ]);
  expect(list.resources.filter(({ name }) => ['pods', 'pods/eviction', 'namespaces/finalize'].includes(name))).toEqual([
    { name: 'namespaces/finalize', singularName: '', namespaced: false, kind: 'Namespace', verbs: ['update'] },
    {
      name: 'pods',
      singularName: 'pod',
      namespaced: true,
      kind: 'Pod',
      verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
      shortNames: ['po'],
      categories: ['all'],
      storageVersionHash: 'xPOwRZ+Yhw8=',
    },
    { name: 'pods/eviction', singularName: '', namespaced: true, group: 'policy', version: 'v1', kind: 'Eviction', verbs: ['create'] },
  ]);
});

test('hashes of stored versions are those that clients have seen', () => {
  expect(storageVersionHash(define('apps', 'v1', 'Deployment'))).toBe('8aSe+NMegvE=');
  expect(apiResourceList('events.k8s.io', group('events.k8s.io').versions[0])).toMatchObject({
    resources: [{ storageVersionHash: 'r2yiGXH7wu8=' }],
  });
});

test('aggregated discovery', () => {
  expect(apiGroupDiscoveryList([group('apps')], 'v2')).toEqual({
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: [
      {
        metadata: { name: 'apps' },
        versions: [
          {
            version: 'v1',
            freshness: 'Current',
            resources: [
              {
                resource: 'deployments',
                responseKind: { group: 'apps', version: 'v1', kind: 'Deployment' },
                scope: 'Namespaced',
                singularResource: 'deployment',
                verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
                shortNames: ['deploy'],
                categories: ['all'],
                subresources: [
                  {
                    subresource: 'scale',
                    responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
                    verbs: ['get', 'patch', 'update'],
                  },
                  {
                    subresource: 'status',
                    responseKind: { group: 'apps', version: 'v1', kind: 'Deployment' },
                    verbs: ['get', 'patch', 'update'],
                  },
                ],
              },
            ],
          },
        ],
      },
    ],
  });
});

describe('the endpoint', () => {
  let generation = 0;
  let served = definitions;
  const endpoint = newDiscoveryEndpoint({
    source: () => ({ definitions: served, actions: actionSubresources }),
    generation: () => generation,
    serverAddress: () => 'localhost:6443',
    encode: async (_, format) => ({ contentType: `application/${format}`, body: format }),
  });
  const json: Accepted = { format: 'json', as: undefined, pretty: false };
  const v2: Accepted = { ...json, as: { group: 'apidiscovery.k8s.io', version: 'v2', kind: 'APIGroupDiscoveryList' } };

  test('knows its paths', () => {
    expect(endpoint.paths()).toContain('/apis/apps/v1');
    expect(endpoint.offerAt('/apis')?.allows({ group: 'apidiscovery.k8s.io', version: 'v2', kind: 'APIGroupDiscoveryList' }, 'json')).toBe(
      true,
    );
    expect(endpoint.offerAt('/apis/apps/v1')).toBeDefined();
    for (const path of ['/apis/nope', '/apis/apps/v2', '/api/v2', '/apis/apps/v1/deployments'])
      expect(endpoint.offerAt(path)).toBeUndefined();
  });

  test('tags the aggregated form, and answers anew after a change', async () => {
    const before = await endpoint.document('/apis', v2, new URLSearchParams());
    expect(before.contentType).toBe('application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList');
    expect(before.etag).toMatch(/^[0-9A-F]{128}$/);
    served = [...definitions, define('new.example.com', 'v1', 'Thing')];
    expect((await endpoint.document('/apis', v2, new URLSearchParams())).etag).toBe(before.etag);
    generation++;
    expect((await endpoint.document('/apis', v2, new URLSearchParams())).etag).not.toBe(before.etag);
    expect(JSON.parse(String((await endpoint.document('/apis/new.example.com', json, new URLSearchParams())).body))).toMatchObject({
      kind: 'APIGroup',
      name: 'new.example.com',
    });
  });
});
