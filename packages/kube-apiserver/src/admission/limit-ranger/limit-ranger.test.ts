import { limitRanges, persistentVolumeClaims, pods, serviceAccounts } from '@orrery/api';
import type { Pod } from '@orrery/api/core/v1';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApi, type TestApi } from '../../testing/test-api.ts';

let api: TestApi;
const range = (namespace: string, ...limits: object[]): Promise<unknown> =>
  api.client.create(limitRanges, { metadata: { namespace, name: 'range' }, spec: { limits } } as never);
const create = (namespace: string, resources: object, more: object = {}): Promise<Pod> =>
  api.client.create(pods, {
    metadata: { namespace, generateName: 'p-' },
    spec: { containers: [{ name: 'c', image: 'a:1', resources }], ...more },
  } as never);
const claim = (namespace: string, storage: string): Promise<unknown> =>
  api.client.create(persistentVolumeClaims, {
    metadata: { namespace, name: 'c' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } } },
  } as never);

const spaces = ['kube-public', 'kube-node-lease', 'kube-system'];
beforeAll(async () => {
  api = await startTestApi({ admission: {} });
  for (const namespace of spaces) await api.client.create(serviceAccounts, { metadata: { namespace, name: 'default' } } as never);
  await range('kube-public', {
    type: 'Container',
    min: { cpu: '50m', memory: '100Mi' },
    max: { cpu: '500m', memory: '500Mi' },
    default: { cpu: '0.5', memory: '500Mi' },
    defaultRequest: { cpu: '100m', memory: '200Mi' },
  });
  await range(
    'kube-node-lease',
    { type: 'Pod', max: { cpu: '1' }, min: { memory: '64Mi' } },
    { type: 'PersistentVolumeClaim', min: { storage: '1Gi' }, max: { storage: '2Gi' } },
  );
  await range('kube-system', { type: 'Container', maxLimitRequestRatio: { cpu: '2' } });
});
afterAll(() => api.close());

describe('defaults', () => {
  test('what a container leaves out is set and told', async () => {
    const { metadata, spec } = await create(
      'kube-public',
      { requests: { cpu: '300m' } },
      { initContainers: [{ name: 'i', image: 'a:1' }] },
    );
    expect(spec.containers[0]?.resources).toEqual({
      requests: { cpu: '300m', memory: '200Mi' },
      limits: { cpu: '500m', memory: '500Mi' },
    });
    expect(spec.initContainers?.[0]?.resources?.requests).toEqual({ cpu: '100m', memory: '200Mi' });
    expect(metadata.annotations?.['kubernetes.io/limit-ranger']).toBe(
      'LimitRanger plugin set: memory request for container c; cpu, memory limit for container c; cpu, memory request for init container i; cpu, memory limit for init container i',
    );
  });
  test('nothing is told where nothing is set', async () => {
    const whole = { requests: { cpu: '300m', memory: '150Mi' }, limits: { cpu: '300m', memory: '500Mi' } };
    const { metadata, spec } = await create('kube-public', whole);
    expect([spec.containers[0]?.resources, metadata.annotations]).toEqual([whole, undefined]);
  });
});

describe('bounds', () => {
  test.each([
    ['kube-public', { requests: { cpu: '10m' } }, 'minimum cpu usage per Container is 50m, but request is 10m'],
    ['kube-public', { limits: { cpu: '600m' } }, 'maximum cpu usage per Container is 500m, but limit is 600m'],
    [
      'kube-public',
      { limits: { cpu: '600m', memory: '1Gi' } },
      '[maximum cpu usage per Container is 500m, but limit is 600m, maximum memory usage per Container is 500Mi, but limit is 1Gi]',
    ],
    [
      'kube-node-lease',
      { limits: { cpu: '2' } },
      '[minimum memory usage per Pod is 64Mi.  No request is specified, maximum cpu usage per Pod is 1, but limit is 2]',
    ],
    ['kube-node-lease', { requests: { memory: '64Mi' } }, 'maximum cpu usage per Pod is 1.  No limit is specified'],
    [
      'kube-system',
      { limits: { cpu: '1' }, requests: { cpu: '300m' } },
      'cpu max limit to request ratio per Container is 2, but provided ratio is 3.333333',
    ],
    ['kube-system', {}, 'cpu max limit to request ratio per Container is 2, but no request is specified or request is 0'],
  ])('%s %j', async (namespace, resources, message) => {
    await expect(create(namespace, resources)).rejects.toMatchObject({
      code: 403,
      message: expect.stringMatching(/^pods "p-[a-z0-9]*" is forbidden: /),
    });
    await expect(create(namespace, resources)).rejects.toThrow(`is forbidden: ${message}`);
  });

  test('containers count together where the pod is bounded', async () => {
    const containers = ['a', 'b'].map((name) => ({ name, image: 'a:1', resources: { limits: { cpu: '600m', memory: '64Mi' } } }));
    await expect(create('kube-node-lease', {}, { containers })).rejects.toThrow('maximum cpu usage per Pod is 1, but limit is 1200m');
    await create('kube-node-lease', {}, { containers: containers.slice(1) });
  });

  test.each([
    ['512Mi', 'minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 512Mi'],
    ['3Gi', 'maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi'],
  ])('a claim of %s', (storage, message) =>
    expect(claim('kube-node-lease', storage)).rejects.toThrow(`persistentvolumeclaims "c" is forbidden: ${message}`),
  );
});
