import type { DeviceClass, ResourceClaim, ResourceClaimTemplate, ResourceSlice } from '@orrery/api/resource/v1';
import type { KubeObject, Resource } from '@orrery/apimachinery';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApi, type TestApi } from '../../testing/test-api.ts';

const resourceOf = <T extends KubeObject>(kind: string, namespaced: boolean): Resource<T> => ({
  group: 'resource.k8s.io',
  version: 'v1',
  kind,
  resource: `${kind.toLowerCase()}${kind.endsWith('s') ? 'es' : 's'}`,
  namespaced,
});
const classes = resourceOf<DeviceClass>('DeviceClass', false);
const claims = resourceOf<ResourceClaim>('ResourceClaim', true);
const templates = resourceOf<ResourceClaimTemplate>('ResourceClaimTemplate', true);
const slices = resourceOf<ResourceSlice>('ResourceSlice', false);

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const create = <T extends KubeObject>(resource: Resource<T>, name: string, spec: object): Promise<T> =>
  api.client.create(resource, { metadata: { name, ...(resource.namespaced ? { namespace: 'default' } : {}) }, spec } as never);

const exactly = { deviceClassName: 'gpu' };
const slice = { driver: 'd.example', pool: { name: 'p', generation: 1, resourceSliceCount: 1 }, nodeName: 'n1' };

describe('dynamic resources', () => {
  test('requests ask for one device of their class', async () => {
    const claim = await create(claims, 'c', { devices: { requests: [{ name: 'r', exactly }] } });
    const wish = { deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 1 };
    expect(claim.spec.devices?.requests?.[0]?.exactly).toEqual(wish);
    const template = await create(templates, 't', { spec: { devices: { requests: [{ name: 'r', exactly }] } } });
    expect(template.spec.spec.devices?.requests?.[0]?.exactly).toEqual(wish);
  });

  test('classes and slices count the generations of their specs', async () => {
    const first = await create(classes, 'gpu', { selectors: [{ cel: { expression: 'device.driver == "d.example"' } }] });
    expect(first.metadata.generation).toBe(1);
    const next = await api.client.update(classes, { ...first, spec: {} });
    expect(next.metadata.generation).toBe(2);
    expect((await create(slices, 's', slice)).metadata.generation).toBe(1);
    const found = await api.client.list(slices, { fieldSelector: 'spec.driver=d.example,spec.nodeName=n1' });
    expect(found.items.map(({ metadata }) => metadata.name)).toEqual(['s']);
  });

  test('a status is written apart', async () => {
    const claim = await create(claims, 'apart', { devices: { requests: [{ name: 'r', exactly }] } });
    const status = { reservedFor: [{ resource: 'pods', name: 'p', uid: 'u' }] };
    expect((await api.client.update(claims, { ...claim, status })).status ?? {}).toEqual({});
    const read = await api.client.get(claims, { namespace: 'default', name: 'apart' });
    expect((await api.client.updateStatus(claims, { ...read, status })).status).toEqual(status);
  });

  const cases: [string, Resource, object, string][] = [
    [
      'no class',
      claims,
      { devices: { requests: [{ name: 'r', exactly: {} }] } },
      'spec.devices.requests[0].exactly.deviceClassName: Required',
    ],
    ['neither one nor any', claims, { devices: { requests: [{ name: 'r' }] } }, 'exactly one of `exactly` or `firstAvailable` is required'],
    [
      'all and a number',
      templates,
      { spec: { devices: { requests: [{ name: 'r', exactly: { ...exactly, allocationMode: 'All', count: 2 } }] } } },
      "spec.spec.devices.requests[0].exactly.count: Invalid value: 2: must not be specified when allocationMode is 'All'",
    ],
    ['empty expression', classes, { selectors: [{ cel: { expression: '' } }] }, 'spec.selectors[0].cel.expression: Required'],
    ['a slice that is nowhere', slices, { ...slice, nodeName: undefined }, 'exactly one of `nodeName`'],
    ['a slice that is everywhere and here', slices, { ...slice, allNodes: true }, 'exactly one of `nodeName`'],
  ];
  test.each(cases)('refused: %s', async (_, resource, spec, message) => {
    await expect(create(resource, 'refused', spec)).rejects.toThrow(message);
  });

  test('specs of claims stay as they are', async () => {
    const claim = await create(claims, 'fixed', { devices: { requests: [{ name: 'r', exactly }] } });
    await expect(api.client.update(claims, { ...claim, spec: {} })).rejects.toThrow('spec: Invalid value');
  });
});
