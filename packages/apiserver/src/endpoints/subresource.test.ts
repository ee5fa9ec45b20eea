import { newConflict } from '@orrery/apimachinery';
import { describe, expect, test } from 'vitest';
import type { AdmissionPlugin } from '../admission.ts';
import type { SubresourceHandler } from './subresource.ts';
import { pod, pods, startApi } from './test-api.ts';

/** As pods/binding. */
const binding: SubresourceHandler = {
  verbs: ['create'],
  async handle(_call, context) {
    const body = context.decodeBody('io.k8s.api.core.v1.Binding') as unknown as { target: { name: string } };
    await context.admit(undefined, undefined);
    await context.update((draft, old) => {
      const { spec } = draft as unknown as { spec: { nodeName?: string } };
      if (spec.nodeName !== undefined) throw newConflict({ group: '', resource: 'pods/binding' }, old.metadata.name, 'is already assigned');
      spec.nodeName = body.target.name;
    });
    return { type: 'value', code: 201, value: { kind: 'Status', status: 'Success' }, warnings: [] };
  },
};

/** As pods/eviction. */
const eviction: SubresourceHandler = {
  verbs: ['create'],
  async handle(call, context) {
    await context.parent();
    const { group, version, resource, namespace, name } = call;
    return context.call({ verb: 'delete', group, version, resource, namespace, name, options: { gracePeriodSeconds: 0 } });
  },
};

const subresources = { 'pods/binding': binding, 'pods/eviction': eviction };

describe('a subresource with a meaning of its own', () => {
  test('changes its parent: version moves, generation stays', async () => {
    const api = startApi({ subresources });
    await api.call('create', pods, { body: pod('x') });
    const body = { target: { kind: 'Node', name: 'n1' }, metadata: {} };
    expect(await api.call('create', pods, { name: 'x', subresource: 'binding', body })).toMatchObject({ code: 201 });
    expect(await api.object('get', pods, { name: 'x' })).toMatchObject({ spec: { nodeName: 'n1' }, metadata: { generation: 1 } });
    const error = await api.error('create', pods, { name: 'x', subresource: 'binding', body });
    expect(error.message).toBe('Operation cannot be fulfilled on pods/binding "x": is already assigned');
  });

  test('one that nobody serves is a path that is not there, not an absent object', async () => {
    const api = startApi({ subresources });
    await api.call('create', pods, { body: pod('x') });
    const error = await api.error('create', pods, { name: 'x', subresource: 'token', body: {} });
    expect(error.toStatus()).toMatchObject({ code: 404, message: 'the server could not find the requested resource', details: {} });
  });

  test('one of many at once wins', async () => {
    const api = startApi({ subresources });
    await api.call('create', pods, { body: pod('x') });
    const bind = (i: number) => api.call('create', pods, { name: 'x', subresource: 'binding', body: { target: { name: `n${i}` } } });
    const results = await Promise.allSettled(Array.from({ length: 16 }, (_, i) => bind(i)));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('calls the same API as the same user', async () => {
    const seen: string[] = [];
    const watcher: AdmissionPlugin = {
      name: 'Watcher',
      validate: (_object, { operation, user, subresource }) => void seen.push(`${operation} ${subresource} by ${user.username}`),
    };
    const api = startApi({ subresources, admission: [watcher] });
    await api.call('create', pods, { body: pod('x') });
    await api.call('create', pods, { name: 'x', subresource: 'eviction', body: {} });
    expect((await api.error('get', pods, { name: 'x' })).code).toBe(404);
    expect(seen).toEqual(['CREATE  by tester', 'DELETE  by tester']);
  });

  test('its body is judged like any other', async () => {
    const api = startApi({ subresources });
    await api.call('create', pods, { body: pod('x') });
    const call = { name: 'x', subresource: 'binding', body: { target: { name: 'n' }, tarpit: 1 } };
    const error = await api.error('create', pods, { ...call, options: { fieldValidation: 'Strict' } });
    expect(error).toMatchObject({ code: 400, message: expect.stringContaining('unknown field "tarpit"') as string });
    expect(await api.call('create', pods, call)).toMatchObject({ warnings: ['unknown field "tarpit"'] });
  });

  test('a verb that it does not have is 405', async () => {
    const api = startApi({ subresources });
    expect((await api.error('get', pods, { name: 'x', subresource: 'binding' })).code).toBe(405);
  });
});

describe('owner references', () => {
  test('that repeat are dropped with a warning', async () => {
    const owner = { apiVersion: 'v1', kind: 'Pod', name: 'o', uid: 'u' };
    const body = pod('x') as { metadata: object };
    const result = await startApi().call('create', pods, {
      body: { ...body, metadata: { ...body.metadata, ownerReferences: [owner, owner] } },
    });
    expect(result).toMatchObject({
      item: { object: { metadata: { ownerReferences: [owner] } } },
      warnings: [expect.stringContaining('duplicate UID(s) observed: u') as string],
    });
  });
});
