import type { ManagedFieldsEntry } from '@orrery/apimachinery';
import { describe, expect, test } from 'vitest';
import { configMaps, deployment, deployments, named, startApi, type TestObject } from './test-api.ts';

/** As `helm Apply status`, sorted. */
const owners = ({ metadata }: TestObject): string[] =>
  ((metadata.managedFields ?? []) as readonly ManagedFieldsEntry[])
    .map(({ manager, operation, subresource }) => [manager, operation, subresource].filter((part) => part !== undefined).join(' '))
    .sort();

const config = (data: object): object => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' }, data });
const apply = (data: object, fieldManager: string, force?: boolean) =>
  ({ name: 'x', patchType: 'apply', body: config(data), options: { fieldManager, force } }) as const;

describe('server-side apply', () => {
  test('creates an absent object with 201, then changes nothing with 200', async () => {
    const api = startApi();
    const first = await api.call('patch', configMaps, apply({ k: 'v' }, 'helm'));
    expect(first).toMatchObject({ code: 201, item: { object: { data: { k: 'v' }, metadata: { name: 'x', namespace: 'a' } } } });
    const { revision } = api.store;
    await api.clock.advance(5000);
    const second = await api.call('patch', configMaps, apply({ k: 'v' }, 'helm'));
    expect(second).toMatchObject({ code: 200 });
    expect(api.store.revision).toBe(revision);
  });

  test('a field of somebody else is a conflict, unless forced', async () => {
    const api = startApi();
    await api.call('patch', configMaps, apply({ k: 'v' }, 'one'));
    const error = await api.error('patch', configMaps, apply({ k: 'w' }, 'two'));
    expect(error).toMatchObject({ code: 409, reason: 'Conflict' });
    expect(error.message).toContain('Apply failed with 1 conflict: conflict with "one": .data.k');
    const forced = await api.object('patch', configMaps, apply({ k: 'w' }, 'two', true));
    expect(forced).toMatchObject({ data: { k: 'w' } });
    expect(owners(forced)).toEqual(['two Apply']);
  });

  test('what is stated no more goes', async () => {
    const api = startApi();
    await api.call('patch', configMaps, apply({ k: 'v', l: 'v' }, 'one'));
    expect(await api.object('patch', configMaps, apply({ k: 'v' }, 'one'))).toMatchObject({ data: { k: 'v' } });
    expect((await api.object('get', configMaps, { name: 'x' }))['data']).toEqual({ k: 'v' });
  });

  test('defaults are nobody’s business: applying again after them is no change', async () => {
    const api = startApi();
    const body = { ...deployment('x'), apiVersion: 'apps/v1', kind: 'Deployment' };
    const call = { name: 'x', patchType: 'apply', body, options: { fieldManager: 'one' } } as const;
    const first = await api.object('patch', deployments, call);
    expect(first['spec']).toMatchObject({ replicas: 1 });
    expect(await api.object('patch', deployments, call)).toBe(first);
  });

  test('a version in the configuration is a precondition', async () => {
    const api = startApi();
    await api.call('patch', configMaps, apply({ k: 'v' }, 'one'));
    const body = { ...config({ k: 'w' }), metadata: { name: 'x', resourceVersion: '1' } };
    expect((await api.error('patch', configMaps, { ...apply({}, 'one'), body })).code).toBe(409);
  });

  test.each([
    ['another name', { ...config({}), metadata: { name: 'y' } }, 'the name of the object (y) does not match the name on the URL (x)'],
    ['another version', { ...config({}), apiVersion: 'v2' }, 'Incorrect version specified in apply patch'],
    ['managed fields', { ...config({}), metadata: { name: 'x', managedFields: [{}] } }, 'metadata.managedFields must be nil'],
    ['duplicate keys with Strict', undefined, 'line 3: key "k" already set in map'],
  ])('%s is 400', async (_name, body, message) => {
    const call = apply({ k: 'v' }, 'one');
    const strict = {
      ...call,
      duplicates: ['line 3: key "k" already set in map'],
      options: { ...call.options, fieldValidation: 'Strict' as const },
    };
    const error = await startApi().error('patch', configMaps, body === undefined ? strict : { ...call, body });
    expect(error.code).toBe(400);
    expect(error.message).toContain(message);
  });
});

describe('field owners', () => {
  test('create, update, patch and the subresources record who wrote what', async () => {
    const api = startApi();
    const made = await api.object('create', deployments, { body: deployment('x'), userAgent: 'kubectl/v1.35 (linux)' });
    expect(owners(made)).toEqual(['kubectl Update']);
    const call = { name: 'x', patchType: 'merge' } as const;
    await api.call('patch', deployments, { ...call, body: { metadata: { labels: { a: 'b' } } }, options: { fieldManager: 'labeller' } });
    await api.call('patch', deployments, {
      ...call,
      subresource: 'status',
      body: { status: { replicas: 1 } },
      options: { fieldManager: 'ctl' },
    });
    await api.call('patch', deployments, {
      ...call,
      subresource: 'scale',
      body: { spec: { replicas: 3 } },
      options: { fieldManager: 'hpa' },
    });
    const now = await api.object('get', deployments, { name: 'x' });
    expect(owners(now)).toEqual(['ctl Update status', 'hpa Update scale', 'kubectl Update', 'labeller Update']);
    expect(now.metadata.managedFields?.[0]).toMatchObject({ apiVersion: 'apps/v1', fieldsType: 'FieldsV1', time: '2026-01-01T00:00:00Z' });
  });

  test('what an endpoint does not take from the client, nobody comes to own', async () => {
    const api = startApi();
    await api.call('create', deployments, { body: { ...deployment('x'), status: { replicas: 4 } } });
    const body = { spec: { replicas: 9 }, status: { replicas: 2 } };
    const next = await api.object('patch', deployments, {
      name: 'x',
      subresource: 'status',
      patchType: 'merge',
      body,
      options: { fieldManager: 'ctl' },
    });
    const entry = next.metadata.managedFields?.find(({ manager }) => manager === 'ctl');
    expect(Object.keys((entry?.fieldsV1 ?? {}) as object)).toEqual(['f:status']);
    expect(JSON.stringify(next.metadata.managedFields?.find(({ manager }) => manager === 'tester'))).not.toContain('f:status');
  });

  test('an empty list resets them', async () => {
    const api = startApi();
    const made = await api.object('create', configMaps, { body: named('x', { data: { k: 'v' } }) });
    const body = { ...made, metadata: { ...made.metadata, managedFields: [] } };
    expect((await api.object('update', configMaps, { name: 'x', body })).metadata.managedFields).toBeUndefined();
  });
});
