import { protobufCodec } from '@orrery/api';
import { FrameSplitter } from '@orrery/apimachinery';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Any, accept, contentType, podTemplateSpec, startWire, type Wire } from './wire.ts';

/** As typed Go clients do: bodies in protobuf, answers in protobuf or JSON. */
let wire: Wire;
let space: string;
const codec = protobufCodec();
beforeAll(async () => {
  wire = await startWire({ controllers: false, scheduler: false, nodes: 1 });
  space = await wire.namespace();
  await wire.expectCode(201, 'POST', `/api/v1/namespaces/${space}/serviceaccounts`, { body: { metadata: { name: 'default' } } });
});
afterAll(() => wire?.[Symbol.asyncDispose]());

const send = async (method: string, path: string, object?: Any): Promise<{ status: number; value: Any; kind: string | undefined }> => {
  const answer = await wire.ask(method, path, {
    accept: accept.protobuf,
    type: contentType.protobuf,
    ...(object === undefined ? {} : { body: Buffer.from(codec.encode(object)) }),
  });
  expect(answer.headers['content-type']).toBe(contentType.protobuf);
  const { value, kind } = codec.decode(answer.bytes);
  return { status: answer.status, value, kind };
};

const labels = { app: 'x' };
const template = podTemplateSpec(labels);
const specOf: Readonly<Record<string, object>> = {
  Pod: { spec: template['spec'] },
  Deployment: {
    spec: {
      selector: { matchLabels: labels },
      template,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: 1 } },
    },
  },
  ReplicaSet: { spec: { selector: { matchLabels: labels }, template } },
  ReplicationController: { spec: { selector: labels, template } },
  Job: { spec: { template: { spec: { ...(template['spec'] as object), restartPolicy: 'Never' } } } },
  PodTemplate: { template },
  Service: { spec: { ports: [{ port: 80, targetPort: 'http' }] } },
  Secret: { stringData: { a: 'b' }, data: { c: 'ZA==' } },
  ConfigMap: { data: { a: 'b' }, binaryData: { c: 'ZA==' } },
  Endpoints: { subsets: [{ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 80 }] }] },
  EndpointSlice: {
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: false } }],
    ports: [{ port: 80, name: '' }],
  },
  Lease: { spec: { holderIdentity: 'me', renewTime: '2026-01-02T03:04:05.000006Z', leaseDurationSeconds: 15 } },
  PersistentVolume: {
    spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/srv/x' } },
  },
  PersistentVolumeClaim: { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
  ControllerRevision: { data: { spec: { a: [1, 'x', null] } }, revision: 1 },
  LimitRange: { spec: { limits: [{ type: 'Container', max: { cpu: '500m', memory: '1Gi' } }] } },
  ResourceQuota: { spec: { hard: { pods: '5', 'requests.cpu': '1500m' } } },
  Event: {
    involvedObject: { kind: 'Pod', namespace: 'SPACE', name: 'p' },
    reason: 'r',
    message: 'm',
    type: 'Normal',
    firstTimestamp: '2026-01-02T03:04:05Z',
    count: 2,
  },
  PriorityClass: { value: 7 },
  Node: { spec: { podCIDR: '10.9.0.0/24', podCIDRs: ['10.9.0.0/24'] } },
};

describe('every kind in protobuf', async () => {
  const probe = await startWire({ controllers: false, scheduler: false });
  const versions = [
    '/api/v1',
    '/apis/apps/v1',
    '/apis/batch/v1',
    '/apis/coordination.k8s.io/v1',
    '/apis/discovery.k8s.io/v1',
    '/apis/scheduling.k8s.io/v1',
  ];
  const served = await Promise.all(versions.map(async (base) => ({ base, list: await probe.expectCode(200, 'GET', base) })));
  await probe[Symbol.asyncDispose]();
  const kinds = served.flatMap(({ base, list }) =>
    list.resources
      .filter(({ name, verbs }: Any) => !name.includes('/') && verbs.includes('create') && verbs.includes('get'))
      .map(({ name, kind, namespaced }: Any) => ({ base, apiVersion: list.groupVersion, name, kind, namespaced })),
  );

  test.each(kinds)('$name: create, get, list, update, delete', async ({ base, apiVersion, name, kind, namespaced }) => {
    const path = namespaced ? `${base}/namespaces/${space}/${name}` : `${base}/${name}`;
    const body = JSON.parse(
      JSON.stringify({ apiVersion, kind, metadata: { name: 'proto', labels }, ...specOf[kind] }).replaceAll('SPACE', space),
    );
    const made = await send('POST', path, body);
    expect(made, JSON.stringify(made.value)).toMatchObject({
      status: 201,
      kind,
      value: { metadata: { name: 'proto', uid: expect.any(String) } },
    });
    const json = await wire.expectCode(200, 'GET', `${path}/proto`, { accept: contentType.json });
    const read = (await send('GET', `${path}/proto`)).value;
    expect(withoutOwners(read)).toEqual(withoutOwners(json));
    const list = await send('GET', `${path}?fieldSelector=metadata.name%3Dproto`);
    expect(list).toMatchObject({
      status: 200,
      kind: `${kind}List`,
      value: { metadata: { resourceVersion: expect.any(String) }, items: [{ metadata: { name: 'proto' } }] },
    });
    const put = await send('PUT', `${path}/proto`, { ...read, metadata: { ...read.metadata, annotations: { a: 'b' } } });
    expect(put, JSON.stringify(put.value)).toMatchObject({ status: 200, value: { metadata: { annotations: { a: 'b' } } } });
    const deleted = await send('DELETE', `${path}/proto`, {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      gracePeriodSeconds: 0,
      propagationPolicy: 'Background',
      preconditions: { uid: read.metadata.uid },
    });
    expect(deleted.status).toBe(200);
  });
});

/** Empty text and absence are one in protobuf. */
const withoutOwners = ({ metadata: { managedFields: _, ...metadata }, ...rest }: Any) =>
  JSON.parse(JSON.stringify({ ...rest, metadata }, (_key, value) => (value === '' ? undefined : value)));

describe('protobuf', () => {
  test('watch frames', async () => {
    const path = `/api/v1/namespaces/${space}/configmaps`;
    await wire.expectCode(201, 'POST', path, { body: { metadata: { name: 'seen' } } });
    const form = `${contentType.protobuf};stream=watch,application/json;stream=watch`;
    const answer = await wire.ask('GET', `${path}?watch=1&timeoutSeconds=1&fieldSelector=metadata.name%3Dseen`, { accept: form });
    expect(answer.headers['content-type']).toBe(`${contentType.protobuf};stream=watch`);
    const events = [...new FrameSplitter(1 << 20).push(answer.bytes)].map((frame) => codec.decodeWatchEvent(frame));
    expect(events).toMatchObject([{ type: 'ADDED', object: { kind: 'ConfigMap', metadata: { name: 'seen' } } }]);
  });

  test('errors', async () => {
    const { value, status } = await send('GET', `/api/v1/namespaces/${space}/configmaps/none`);
    expect(status).toBe(404);
    expect(value).toMatchObject({ kind: 'Status', reason: 'NotFound', details: { name: 'none', kind: 'configmaps' } });
  });

  test('metadata alone, as the metadata client asks for it', async () => {
    const path = `/api/v1/namespaces/${space}/services`;
    await wire.expectCode(201, 'POST', path, {
      body: { metadata: { name: 'm', annotations: { foo: 'bar' } }, spec: { ports: [{ port: 1000 }] } },
    });
    const form = (kind: string) =>
      `${contentType.protobuf};as=${kind};g=meta.k8s.io;v=v1,application/json;as=${kind};g=meta.k8s.io;v=v1,application/json`;
    const list = await wire.ask('GET', path, { accept: form('PartialObjectMetadataList') });
    expect(list.headers['content-type']).toBe(contentType.protobuf);
    expect(codec.decode(list.bytes)).toMatchObject({
      kind: 'PartialObjectMetadataList',
      value: { items: [{ metadata: { name: 'm', annotations: { foo: 'bar' } } }] },
    });
    const patch = await wire.ask('PATCH', `${path}/m`, {
      accept: form('PartialObjectMetadata'),
      type: contentType.merge,
      body: { metadata: { annotations: { foo: 'baz' } } },
    });
    expect(codec.decode(patch.bytes)).toMatchObject({
      kind: 'PartialObjectMetadata',
      value: { metadata: { annotations: { foo: 'baz' } } },
    });
    const gone = await wire.ask('DELETE', `${path}/m`, { accept: form('PartialObjectMetadata') });
    expect(gone.status).toBe(200);
  });

  test('subresources: binding, eviction, a review', async () => {
    const pods = `/api/v1/namespaces/${space}/pods`;
    await send('POST', pods, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'bound' }, spec: template['spec'] });
    const binding = {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name: 'bound', namespace: space },
      target: { kind: 'Node', name: 'node-0' },
    };
    expect(await send('POST', `${pods}/bound/binding`, binding)).toMatchObject({
      status: 201,
      value: { kind: 'Status', status: 'Success' },
    });
    const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'bound', namespace: space } };
    expect((await send('POST', `${pods}/bound/eviction`, eviction)).status).toBe(201);
    const review = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { verb: 'get', resource: 'pods' } },
    };
    expect(await send('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', review)).toMatchObject({
      status: 201,
      value: { status: { allowed: true } },
    });
  });
});
