import { actionSubresources, loadDescriptions, schemas, typeTable } from '@orrery/api';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ResourceDefinition } from '../definition.ts';
import type { Accepted } from '../http/negotiation.ts';
import { negotiate } from '../http/negotiation.ts';
import { newOpenApiEndpoint } from './endpoint.ts';
import { groupWord } from './operations.ts';

type Doc = Record<string, unknown>;

const scale = { specReplicas: () => 0, statusReplicas: () => 0, selector: () => '', withReplicas: <T>(object: T) => object };
const define = (group: string, kind: string, typeName: string, extra: Partial<ResourceDefinition> = {}): ResourceDefinition => ({
  group,
  version: 'v1',
  kind,
  resource: `${kind.toLowerCase()}s`,
  singular: kind.toLowerCase(),
  namespaced: true,
  typeName,
  strategy: {},
  ...extra,
});
const definitions: readonly ResourceDefinition[] = [
  define('', 'Pod', 'io.k8s.api.core.v1.Pod', { status: {} }),
  define('', 'Namespace', 'io.k8s.api.core.v1.Namespace', { namespaced: false, partials: { finalize: { verbs: ['update'] } } }),
  define('apps', 'Deployment', 'io.k8s.api.apps.v1.Deployment', { status: {}, scale }),
];

let served = definitions;
let generation = 0;
let loads = 0;
const endpoint = newOpenApiEndpoint({
  source: () => ({ definitions: served, actions: actionSubresources }),
  generation: () => generation,
  version: 'v1.36.0',
  load: async () => {
    loads++;
    return { types: typeTable(), schemas, descriptions: await loadDescriptions() };
  },
});
const json: Accepted = { format: 'json', as: undefined, pretty: false };

async function fetch(path: string, hash = ''): Promise<Doc> {
  const { body } = await endpoint.document(path, json, new URLSearchParams(hash === '' ? '' : { hash }));
  return JSON.parse(String(body)) as Doc;
}

/** The value at a path of keys. */
function at(doc: unknown, ...keys: readonly string[]): unknown {
  return keys.reduce<unknown>((value, key) => (value as Doc | undefined)?.[key], doc);
}

/** Every reference in a document, resolved or not. */
function references(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => (key === '$ref' && typeof child === 'string' ? [child] : references(child)));
}

test('the index costs no document', async () => {
  const { paths } = (await fetch('/openapi/v3')) as { paths: Record<string, { serverRelativeURL: string }> };
  expect(Object.keys(paths)).toEqual(['api/v1', 'apis/apps/v1']);
  expect(paths['apis/apps/v1']?.serverRelativeURL).toMatch(/^\/openapi\/v3\/apis\/apps\/v1\?hash=[0-9A-F]{128}$/);
  expect(loads).toBe(0);
});

describe('version 3', () => {
  let core: Doc;
  let apps: Doc;
  beforeAll(async () => {
    core = await fetch('/openapi/v3/api/v1');
    apps = await fetch('/openapi/v3/apis/apps/v1');
  });
  const property = (type: string, name: string): unknown => at(core, 'components', 'schemas', type, 'properties', name);

  test('every reference resolves', () => {
    for (const doc of [core, apps]) {
      const known = Object.keys(at(doc, 'components', 'schemas') as Doc);
      for (const reference of references(doc)) expect(known).toContain(reference.replace('#/components/schemas/', ''));
    }
  });

  test('lists carry what apply and patches need', () => {
    expect(property('io.k8s.api.core.v1.Container', 'ports')).toMatchObject({
      type: 'array',
      items: { allOf: [{ $ref: '#/components/schemas/io.k8s.api.core.v1.ContainerPort' }], default: {} },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['containerPort', 'protocol'],
      'x-kubernetes-patch-merge-key': 'containerPort',
      'x-kubernetes-patch-strategy': 'merge',
    });
    expect(property('io.k8s.api.core.v1.ContainerPort', 'protocol')).toMatchObject({
      type: 'string',
      default: 'TCP',
      enum: ['SCTP', 'TCP', 'UDP'],
    });
    expect(property('io.k8s.api.core.v1.PodSpec', 'nodeSelector')).toMatchObject({
      additionalProperties: { type: 'string', default: '' },
      'x-kubernetes-map-type': 'atomic',
    });
    expect(property('io.k8s.api.core.v1.Container', 'name')).toMatchObject({
      type: 'string',
      default: '',
      description: expect.stringContaining('DNS_LABEL'),
    });
    expect(property('io.k8s.api.core.v1.PodSpec', 'priority')).not.toHaveProperty('default');
  });

  test('special types', () => {
    const schema = (name: string): unknown => at(core, 'components', 'schemas', name);
    expect(schema('io.k8s.apimachinery.pkg.util.intstr.IntOrString')).toMatchObject({
      format: 'int-or-string',
      oneOf: [{ type: 'integer' }, { type: 'string' }],
    });
    expect(schema('io.k8s.apimachinery.pkg.api.resource.Quantity')).toMatchObject({ oneOf: [{ type: 'string' }, { type: 'number' }] });
    expect(schema('io.k8s.apimachinery.pkg.apis.meta.v1.Time')).toMatchObject({ type: 'string', format: 'date-time' });
    expect(schema('io.k8s.api.core.v1.Pod')).toMatchObject({
      'x-kubernetes-group-version-kind': [{ group: '', kind: 'Pod', version: 'v1' }],
    });
    expect(schema('io.k8s.api.core.v1.SeccompProfile')).toHaveProperty('x-kubernetes-unions');
  });

  test('clients find how fields are validated in the patch operation', () => {
    const patch = at(core, 'paths', '/api/v1/namespaces/{namespace}/pods/{name}', 'patch');
    expect(patch).toMatchObject({
      operationId: 'patchCoreV1NamespacedPod',
      'x-kubernetes-action': 'patch',
      'x-kubernetes-group-version-kind': { kind: 'Pod' },
    });
    const names = (at(patch, 'parameters') as { name: string }[]).map(({ name }) => name);
    expect(names).toEqual(['dryRun', 'fieldManager', 'fieldValidation', 'force']);
    expect(at(patch, 'requestBody', 'content')).toHaveProperty('application/apply-patch+yaml');
  });

  test.each([
    ['/api/v1/pods', 'get', 'listCoreV1PodForAllNamespaces', 'list or watch objects of kind Pod'],
    ['/api/v1/namespaces', 'post', 'createCoreV1Namespace', 'create a Namespace'],
    ['/api/v1/namespaces/{name}/finalize', 'put', 'replaceCoreV1NamespaceFinalize', 'replace finalize of the specified Namespace'],
    ['/api/v1/namespaces/{namespace}/pods', 'delete', 'deleteCoreV1CollectionNamespacedPod', 'delete collection of Pod'],
    ['/api/v1/namespaces/{namespace}/pods/{name}/status', 'get', 'readCoreV1NamespacedPodStatus', 'read status of the specified Pod'],
    ['/api/v1/namespaces/{namespace}/pods/{name}/eviction', 'post', 'createCoreV1NamespacedPodEviction', 'create eviction of a Pod'],
    ['/api/v1/namespaces/{namespace}/pods/{name}/log', 'get', 'readCoreV1NamespacedPodLog', 'read log of the specified Pod'],
    [
      '/api/v1/namespaces/{namespace}/pods/{name}/exec',
      'post',
      'connectCoreV1PostNamespacedPodExec',
      'connect POST requests to exec of Pod',
    ],
    [
      '/api/v1/namespaces/{namespace}/pods/{name}/proxy/{path}',
      'head',
      'connectCoreV1HeadNamespacedPodProxyWithPath',
      'connect HEAD requests to proxy of Pod',
    ],
    ['/api/v1/', 'get', 'getCoreV1APIResources', 'get available resources'],
  ])('%s %s', (path, method, operationId, description) => {
    expect(at(core, 'paths', path, method)).toMatchObject({ operationId, description });
  });

  test('scale has the kind of another group', () => {
    expect(at(apps, 'paths', '/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale', 'put')).toMatchObject({
      operationId: 'replaceAppsV1NamespacedDeploymentScale',
      'x-kubernetes-group-version-kind': { group: 'autoscaling', version: 'v1', kind: 'Scale' },
    });
  });
});

describe('version 2', () => {
  test('one document with all definitions', async () => {
    const doc = await fetch('/openapi/v2');
    const known = Object.keys(doc['definitions'] as Doc);
    for (const reference of references(doc)) expect(known).toContain(reference.replace('#/definitions/', ''));
    expect(at(doc, 'definitions', 'io.k8s.api.core.v1.ContainerPort', 'properties', 'protocol')).not.toHaveProperty('default');
    expect(at(doc, 'definitions', 'io.k8s.apimachinery.pkg.api.resource.Quantity')).toMatchObject({ type: 'string' });
    expect(at(doc, 'paths', '/api/v1/namespaces/{namespace}/pods', 'post', 'parameters', '0')).toMatchObject({
      in: 'body',
      required: true,
    });
  });

  test('as protobuf, under the name that clients ask for', async () => {
    const offer = endpoint.offerAt('/openapi/v2');
    if (offer === undefined) throw new Error('not offered');
    const accepted = negotiate('application/com.github.proto-openapi.spec.v2@v1.0+protobuf', offer);
    const { body, contentType } = await endpoint.document('/openapi/v2', accepted, new URLSearchParams());
    expect(contentType).toBe('application/com.github.proto-openapi.spec.v2.v1.0+protobuf');
    // swagger: "2.0", then info{title: "Kubernetes", version: "v1.36.0"}.
    expect(Buffer.from(body).subarray(0, 28).toString('latin1')).toBe('\n\u00032.0\u0012\u0015\n\nKubernetes\u0012\u0007v1.36.0');
    expect(negotiate('*/*', offer).format).toBe('json');
  });
});

test('documents change with what is served, and are kept until then', async () => {
  const params = new URLSearchParams();
  const before = await endpoint.document('/openapi/v3/apis/apps/v1', json, params);
  expect((await endpoint.document('/openapi/v3/apis/apps/v1', json, new URLSearchParams({ hash: before.etag ?? '' }))).immutable).toBe(
    true,
  );
  expect((await endpoint.document('/openapi/v3/apis/apps/v1', json, params)).body).toBe(before.body);
  served = [...definitions, define('apps', 'ReplicaSet', 'io.k8s.api.apps.v1.ReplicaSet')];
  generation++;
  const after = await endpoint.document('/openapi/v3/apis/apps/v1', json, params);
  expect(after.etag).not.toBe(before.etag);
  expect(String(after.body)).toContain('createAppsV1NamespacedReplicaSet');
  expect(loads).toBe(1);
  expect(endpoint.offerAt('/openapi/v3/apis/nope/v1')).toBeUndefined();
});

test.each([
  ['', 'core'],
  ['apps', 'apps'],
  ['coordination.k8s.io', 'coordination'],
  ['rbac.authorization.k8s.io', 'rbacAuthorization'],
  ['stable.example.com', 'stableExampleCom'],
])('group %s is called %s', (group, word) => expect(groupWord(group)).toBe(word));
