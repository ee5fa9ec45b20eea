import type { KubeObject } from '@orrery/apimachinery';
import { describe, expect, test } from 'vitest';
import type { ResourceDefinition } from '../definition.ts';
import { configMaps, deployment, deployments, named, namespaces, startApi, type TestObject } from './test-api.ts';

const stale = 'the object has been modified; please apply your changes to the latest version and try again';

describe('update', () => {
  test('replaces the object, keeps what is the server’s', async () => {
    const api = startApi();
    const made = await api.object('create', configMaps, { body: named('x', { data: { k: '1' } }) });
    const next = await api.object('update', configMaps, { name: 'x', body: named('x', { data: { k: '2' } }) });
    expect(next).toMatchObject({ data: { k: '2' } });
    expect(next.metadata).toMatchObject({
      uid: made.metadata.uid,
      creationTimestamp: made.metadata.creationTimestamp,
      resourceVersion: '3',
    });
  });

  test('a stale resourceVersion is 409', async () => {
    const api = startApi();
    const made = await api.object('create', configMaps, { body: named('x') });
    await api.call('update', configMaps, { name: 'x', body: named('x', { data: { k: '1' } }) });
    const error = await api.error('update', configMaps, { name: 'x', body: { ...made, data: { k: '2' } } });
    expect(error.toStatus()).toMatchObject({
      code: 409,
      reason: 'Conflict',
      message: `Operation cannot be fulfilled on configmaps "x": ${stale}`,
      details: { name: 'x', kind: 'configmaps' },
    });
  });

  test('another uid is 409 with the storage layer’s text', async () => {
    const api = startApi();
    const made = await api.object('create', configMaps, { body: named('x') });
    const error = await api.error('update', configMaps, { name: 'x', body: { metadata: { name: 'x', uid: 'u' } } });
    expect(error.code).toBe(409);
    expect(error.message).toBe(
      'Operation cannot be fulfilled on configmaps "x": StorageError: invalid object, Code: 4, Key: /registry/configmaps/a/x, ResourceVersion: 0, ' +
        `AdditionalErrorMsg: Precondition failed: UID in precondition: u, UID in object meta: ${made.metadata.uid}`,
    );
  });

  test('an update that changes nothing writes nothing', async () => {
    const api = startApi();
    const made = await api.object('create', deployments, { body: deployment('x') });
    const { revision } = api.store;
    const again = await api.object('update', deployments, { name: 'x', body: deployment('x') });
    expect(again).toBe(made);
    expect(api.store.revision).toBe(revision);
  });

  test('64 updates without a version at once all go through', async () => {
    const api = startApi();
    await api.call('create', configMaps, { body: named('x') });
    const results = await Promise.all(
      Array.from({ length: 64 }, (_, i) => api.object('update', configMaps, { name: 'x', body: named('x', { data: { k: String(i) } }) })),
    );
    expect(new Set(results.map(({ metadata }) => metadata.resourceVersion)).size).toBe(64);
  });

  test('64 updates of one version at once: one wins', async () => {
    const api = startApi();
    const made = await api.object('create', configMaps, { body: named('x') });
    const results = await Promise.allSettled(
      Array.from({ length: 64 }, (_, i) => api.object('update', configMaps, { name: 'x', body: { ...made, data: { k: String(i) } } })),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test.each([
    ['an absent object', 'y', named('y'), 404, 'configmaps "y" not found'],
    ['another name', 'x', named('y'), 400, 'the name of the object (y) does not match the name on the URL (x)'],
    ['no name', 'x', { metadata: {} }, 400, 'the name of the object (x based on URL) was undeterminable: name must be provided'],
    [
      'another namespace',
      'x',
      { metadata: { name: 'x', namespace: 'b' } },
      400,
      'the namespace of the object (b) does not match the namespace on the request (a)',
    ],
    [
      'a mark of deletion',
      'x',
      { metadata: { name: 'x', deletionTimestamp: '2026-01-01T00:00:00Z' } },
      422,
      'metadata.deletionTimestamp: Invalid value',
    ],
  ])('%s is refused', async (_name, name, body, code, message) => {
    const api = startApi();
    await api.call('create', configMaps, { body: named('x') });
    const error = await api.error('update', configMaps, { name, body });
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
  });

  test('allowCreateOnUpdate creates an absent object', async () => {
    const open: ResourceDefinition = { ...configMaps, strategy: { allowCreateOnUpdate: true } };
    const api = startApi({ definitions: [open] });
    expect(await api.call('update', open, { name: 'x', body: named('x') })).toMatchObject({ code: 201 });
    expect(await api.call('update', open, { name: 'x', body: named('x', { data: { k: 'v' } }) })).toMatchObject({ code: 200 });
  });

  test('where unconditional updates are not allowed the version must be given', async () => {
    const strict: ResourceDefinition = { ...configMaps, strategy: { allowUnconditionalUpdate: false } };
    const api = startApi({ definitions: [strict] });
    await api.call('create', strict, { body: named('x') });
    const error = await api.error('update', strict, { name: 'x', body: named('x', { data: { k: 'v' } }) });
    expect(error.code).toBe(422);
    expect(error.message).toBe('ConfigMap "x" is invalid: metadata.resourceVersion: Invalid value: 0: must be specified for an update');
  });

  test('a dry run shows the result and keeps the version', async () => {
    const api = startApi();
    const made = await api.object('create', configMaps, { body: named('x') });
    const { revision } = api.store;
    const next = await api.object('update', configMaps, { name: 'x', body: named('x', { data: { k: 'v' } }), options: { dryRun: true } });
    expect(next).toMatchObject({ data: { k: 'v' }, metadata: { resourceVersion: made.metadata.resourceVersion } });
    expect(api.store.revision).toBe(revision);
  });
});

describe('status and generation', () => {
  const withStatus = (object: TestObject, replicas: number): object => ({ ...object, status: { replicas } });

  test('the main endpoint keeps the status; generation counts changes of the spec', async () => {
    const api = startApi();
    const made = await api.object('create', deployments, { body: deployment('x') });
    const reported = await api.object('update', deployments, { name: 'x', subresource: 'status', body: withStatus(made, 1) });
    expect(reported.metadata.generation).toBe(1);
    const scaled = await api.object('update', deployments, { name: 'x', body: deployment('x', { replicas: 3 }) });
    expect(scaled).toMatchObject({ status: { replicas: 1 }, spec: { replicas: 3 }, metadata: { generation: 2 } });
    const labelled = await api.object('update', deployments, {
      name: 'x',
      body: { ...scaled, metadata: { ...scaled.metadata, labels: { a: 'b' } } },
    });
    expect(labelled.metadata.generation).toBe(2);
  });

  test('annotations that count leave the generation alone when they come by /status', async () => {
    const counting = {
      ...deployments,
      strategy: { ...deployments.strategy, generationOf: ({ metadata }: KubeObject) => metadata.annotations },
    };
    const api = startApi({ definitions: [counting] });
    const made = await api.object('create', counting, { body: deployment('x') });
    const body = { ...made, metadata: { ...made.metadata, annotations: { a: 'b' } } };
    expect((await api.object('update', counting, { name: 'x', subresource: 'status', body })).metadata.generation).toBe(1);
    const again = { ...body, metadata: { ...made.metadata, resourceVersion: undefined, annotations: { a: 'c' } } };
    expect((await api.object('update', counting, { name: 'x', body: again })).metadata.generation).toBe(2);
  });

  test('/status changes nothing but status and metadata', async () => {
    const api = startApi();
    const made = await api.object('create', deployments, { body: deployment('x') });
    const reported = await api.object('update', deployments, {
      name: 'x',
      subresource: 'status',
      body: {
        ...made,
        spec: { ...(made['spec'] as object), replicas: 50 },
        status: { replicas: 7 },
        metadata: { ...made.metadata, labels: { a: 'b' } },
      },
    });
    expect(reported).toMatchObject({ spec: { replicas: 1 }, status: { replicas: 7 }, metadata: { labels: { a: 'b' } } });
  });

  test('/status shows the whole object', async () => {
    const api = startApi();
    const made = await api.object('create', deployments, { body: deployment('x') });
    expect(await api.object('get', deployments, { name: 'x', subresource: 'status' })).toBe(made);
  });

  test('a partial subresource has its own rules', async () => {
    const api = startApi();
    const made = await api.object('create', namespaces, { body: named('x', { spec: { finalizers: ['kubernetes'] } }) });
    const done = await api.object('update', namespaces, {
      name: 'x',
      subresource: 'finalize',
      body: { ...made, spec: { finalizers: [] } },
    });
    expect(done['spec']).toEqual({});
  });

  test('an unknown subresource is 404, a verb it lacks is 405', async () => {
    const api = startApi();
    await api.call('create', configMaps, { body: named('x') });
    expect((await api.error('get', configMaps, { name: 'x', subresource: 'status' })).code).toBe(404);
    await api.call('create', deployments, { body: deployment('x') });
    const error = await api.error('delete', deployments, { name: 'x', subresource: 'status' });
    expect(error).toMatchObject({ code: 405, message: 'delete is not supported on resources of kind "deployments.apps"' });
  });
});

describe('scale', () => {
  test('reads and writes the replicas', async () => {
    const api = startApi();
    const made = await api.object('create', deployments, { body: deployment('x', { replicas: 2 }) });
    const scale = await api.object('get', deployments, { name: 'x', subresource: 'scale' });
    expect(scale).toEqual({
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      metadata: {
        name: 'x',
        namespace: 'a',
        uid: made.metadata.uid,
        resourceVersion: made.metadata.resourceVersion,
        creationTimestamp: made.metadata.creationTimestamp,
      },
      spec: { replicas: 2 },
      status: { replicas: 0, selector: 'app=a' },
    });
    const next = await api.object('update', deployments, { name: 'x', subresource: 'scale', body: { ...scale, spec: { replicas: 5 } } });
    expect(next).toMatchObject({ kind: 'Scale', spec: { replicas: 5 } });
    expect(await api.object('get', deployments, { name: 'x' })).toMatchObject({ spec: { replicas: 5 }, metadata: { generation: 2 } });
  });

  test.each(['merge', 'strategic', 'json'] as const)('a %s patch', async (patchType) => {
    const api = startApi();
    await api.call('create', deployments, { body: deployment('x') });
    const body = patchType === 'json' ? [{ op: 'replace', path: '/spec/replicas', value: 4 }] : { spec: { replicas: 4 } };
    expect(await api.object('patch', deployments, { name: 'x', subresource: 'scale', patchType, body })).toMatchObject({
      spec: { replicas: 4 },
    });
  });

  test('a stale version is 409, a negative number 422', async () => {
    const api = startApi();
    await api.call('create', deployments, { body: deployment('x') });
    const scale = (replicas: number, resourceVersion?: string) => ({ metadata: { name: 'x', resourceVersion }, spec: { replicas } });
    expect((await api.error('update', deployments, { name: 'x', subresource: 'scale', body: scale(1, '1') })).code).toBe(409);
    const error = await api.error('update', deployments, { name: 'x', subresource: 'scale', body: scale(-1) });
    expect(error.message).toBe('Scale.autoscaling "x" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0');
  });
});
