import { describe, expect, test } from 'vitest';
import { configMaps, deployment, deployments, named, startApi } from './test-api.ts';

describe('patch', () => {
  test.each([
    ['json', [{ op: 'add', path: '/data', value: { k: 'v' } }]],
    ['merge', { data: { k: 'v' } }],
    ['strategic', { data: { k: 'v' } }],
  ] as const)('%s', async (patchType, body) => {
    const api = startApi();
    await api.call('create', configMaps, { body: named('x') });
    const result = await api.call('patch', configMaps, { name: 'x', patchType, body });
    expect(result).toMatchObject({ type: 'object', code: 200, item: { object: { data: { k: 'v' } } } });
  });

  test('strategic patches merge containers by name', async () => {
    const api = startApi();
    await api.call('create', deployments, { body: deployment('x') });
    const body = { spec: { template: { spec: { containers: [{ name: 'd', image: 'j' }] } } } };
    const next = await api.object('patch', deployments, { name: 'x', patchType: 'strategic', body });
    expect(JSON.stringify(next['spec'])).toMatch(/"name":"d".*"name":"c"|"name":"c".*"name":"d"/);
  });

  test('defaults come back after a patch took them away', async () => {
    const api = startApi();
    await api.call('create', deployments, { body: deployment('x', { replicas: 3 }) });
    const next = await api.object('patch', deployments, { name: 'x', patchType: 'merge', body: { spec: { replicas: null } } });
    expect(next['spec']).toMatchObject({ replicas: 1 });
  });

  test('a patch that changes nothing writes nothing', async () => {
    const api = startApi();
    const made = await api.object('create', configMaps, { body: named('x', { data: { k: 'v' } }) });
    expect(await api.object('patch', configMaps, { name: 'x', patchType: 'merge', body: { data: { k: 'v' } } })).toBe(made);
  });

  test('64 patches at once are all kept', async () => {
    const api = startApi();
    await api.call('create', configMaps, { body: named('x') });
    const keys = Array.from({ length: 64 }, (_, i) => `k${i}`);
    await Promise.all(keys.map((key) => api.call('patch', configMaps, { name: 'x', patchType: 'merge', body: { data: { [key]: 'v' } } })));
    const { data } = (await api.object('get', configMaps, { name: 'x' })) as unknown as { data: object };
    expect(Object.keys(data).sort()).toEqual(keys.sort());
  });

  test('a version in the patch is a precondition', async () => {
    const api = startApi();
    await api.call('create', configMaps, { body: named('x') });
    const body = { metadata: { resourceVersion: '1' }, data: { k: 'v' } };
    const error = await api.error('patch', configMaps, { name: 'x', patchType: 'merge', body });
    expect(error.code).toBe(409);
  });

  test('/status takes the status alone', async () => {
    const api = startApi();
    await api.call('create', deployments, { body: deployment('x') });
    const body = { spec: { replicas: 9 }, status: { replicas: 2 } };
    const next = await api.object('patch', deployments, { name: 'x', subresource: 'status', patchType: 'merge', body });
    expect(next).toMatchObject({ spec: { replicas: 1 }, status: { replicas: 2 } });
  });

  test.each([
    ['an absent object', 'y', 'merge', {}, 404, 'configmaps "y" not found'],
    ['a patch of the wrong form', 'x', 'json', {}, 400, 'cannot unmarshal object'],
    [
      'a test that fails',
      'x',
      'json',
      [{ op: 'test', path: '/metadata/name', value: 'z' }],
      422,
      'the server rejected our request due to an error in our request',
    ],
    ['another name', 'x', 'merge', { metadata: { name: 'z' } }, 400, 'the name of the object (z) does not match the name on the URL (x)'],
    ['a value of the wrong type', 'x', 'merge', { data: { k: 1 } }, 422, ' "" is invalid: patch: Invalid value: '],
    [
      'force without apply',
      'x',
      'merge-force',
      {},
      422,
      'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
    ],
    [
      'apply without a manager',
      'x',
      'apply',
      {},
      422,
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    ],
  ] as const)('%s is refused', async (_name, name, type, body, code, message) => {
    const api = startApi();
    await api.call('create', configMaps, { body: named('x') });
    const [patchType, force] = type === 'merge-force' ? (['merge', true] as const) : ([type, undefined] as const);
    const error = await api.error('patch', configMaps, { name, patchType, body, options: { force } });
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
  });

  test('unknown fields warn, or are refused', async () => {
    const api = startApi();
    await api.call('create', configMaps, { body: named('x') });
    const call = { name: 'x', patchType: 'merge', body: { dota: 1 } } as const;
    expect(await api.call('patch', configMaps, call)).toMatchObject({ warnings: ['unknown field "dota"'] });
    const error = await api.error('patch', configMaps, { ...call, options: { fieldValidation: 'Strict' } });
    expect(error.code).toBe(422);
    expect(error.message).toContain('strict decoding error: unknown field \\"dota\\"'.replaceAll('\\', ''));
  });
});
