import { describe, expect, test } from 'vitest';
import {
  configMaps,
  deployment,
  deployments,
  events,
  eventsView,
  named,
  namespaces,
  pod,
  pods,
  startApi,
  type TestApi,
} from './test-api.ts';

const namesOf = (
  items: readonly { readonly object: { readonly metadata: { readonly name: string; readonly namespace?: string } } }[],
): string[] =>
  items.map(({ object: { metadata } }) => (metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`));

async function fill(api: TestApi, names: readonly string[], namespace = 'a'): Promise<void> {
  for (const name of names) await api.call('create', configMaps, { namespace, body: named(name, { data: { name } }) });
}

describe('list', () => {
  test('keys come in the order of the store, at the version of the cache', async () => {
    const api = startApi();
    await fill(api, ['b', 'a'], 'x');
    await fill(api, ['c'], 'x-y');
    const { items, metadata, listKind, apiVersion } = await api.list(configMaps);
    expect(namesOf(items)).toEqual(['x-y/c', 'x/a', 'x/b']); // '-' sorts before '/'.
    expect(metadata).toEqual({ resourceVersion: '4' });
    expect([listKind, apiVersion]).toEqual(['ConfigMapList', 'v1']);
    expect(namesOf((await api.list(configMaps, {}, 'x')).items)).toEqual(['x/a', 'x/b']);
    const stored = await api.store.range({ start: '/registry/configmaps/', end: '/registry/configmaps0' });
    expect(stored.entries.map(({ key }) => key.slice('/registry/configmaps/'.length))).toEqual(namesOf(items));
  });

  test('names added and removed between reads stay in order', async () => {
    const api = startApi();
    await fill(api, ['m', 'c', 'x']);
    await api.list(configMaps);
    await fill(api, ['d', 'a', ...Array.from({ length: 40 }, (_, i) => `n${i}`)]);
    await api.call('delete', configMaps, { name: 'm' });
    const names = namesOf((await api.list(configMaps)).items);
    expect(names).toEqual([...names].sort());
    expect(names).toHaveLength(44);
  });

  test.each([
    ['labelSelector', { labelSelector: 'app in (one,two),!old' }, ['a/p1', 'a/p2']],
    ['metadata.name', { fieldSelector: 'metadata.name=p2' }, ['a/p2']],
    ['a selectable field', { fieldSelector: 'spec.nodeName=n1' }, ['a/p1', 'a/p3']],
    ['a field that must differ', { fieldSelector: 'spec.nodeName!=n1' }, ['a/p2']],
    ['both', { fieldSelector: 'spec.nodeName=n1', labelSelector: 'app=one' }, ['a/p1']],
  ])('%s selects', async (_name, options, expected) => {
    const api = startApi();
    await api.call('create', pods, { body: pod('p1', { nodeName: 'n1' }, { app: 'one' }) });
    await api.call('create', pods, { body: pod('p2', { nodeName: 'n2' }, { app: 'two' }) });
    await api.call('create', pods, { body: pod('p3', { nodeName: 'n1' }, { app: 'two', old: '' }) });
    expect(namesOf((await api.list(pods, options)).items)).toEqual(expected);
    expect(namesOf((await api.list(pods, options, 'a')).items)).toEqual(expected);
  });

  test.each([
    [pods, 'spec.foo=1', 'field label not supported: spec.foo'],
    [configMaps, 'data=1', '"data" is not a known field selector: only "metadata.name", "metadata.namespace"'],
    [configMaps, '__proto__=1', '"__proto__" is not a known field selector: only "metadata.name", "metadata.namespace"'],
  ])('an unknown field is 400 (%#)', async (definition, fieldSelector, message) => {
    expect(await startApi().error('list', definition, { options: { fieldSelector } })).toMatchObject({ code: 400, message });
  });

  test('an index follows changes', async () => {
    const api = startApi();
    await api.call('create', pods, { body: pod('p') });
    const on = async (node: string) => namesOf((await api.list(pods, { fieldSelector: `spec.nodeName=${node}` })).items);
    expect(await on('n')).toEqual([]);
    await api.call('patch', pods, { name: 'p', patchType: 'merge', body: { spec: { nodeName: 'n' } } });
    expect(await on('n')).toEqual(['a/p']);
    await api.call('delete', pods, { name: 'p', options: { gracePeriodSeconds: 0 } });
    expect(await on('n')).toEqual([]);
  });
});

describe('limit and continue', () => {
  const token = (revision: number, start: string): string =>
    Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision, start })).toString('base64url');

  test('pages show one version, whatever happens between them', async () => {
    const api = startApi();
    await fill(api, ['a', 'b', 'c', 'd', 'e']);
    const first = await api.list(configMaps, { limit: 2 });
    expect(first.metadata).toEqual({ resourceVersion: '6', continue: token(6, 'a/b\u0000'), remainingItemCount: 3 });
    await api.call('delete', configMaps, { name: 'c' });
    await api.call('update', configMaps, { name: 'd', body: named('d', { data: { name: 'changed' } }) });
    await fill(api, ['bb']);
    const second = await api.list(configMaps, { limit: 2, continue: first.metadata.continue });
    expect(namesOf(second.items)).toEqual(['a/c', 'a/d']);
    expect(second.items[1]?.object).toMatchObject({ data: { name: 'd' }, metadata: { resourceVersion: '5' } });
    expect(second.metadata).toMatchObject({ resourceVersion: '6', remainingItemCount: 1 });
    const third = await api.list(configMaps, { limit: 2, continue: second.metadata.continue });
    expect(namesOf(third.items)).toEqual(['a/e']);
    expect(third.metadata).toEqual({ resourceVersion: '6' });
  });

  test('in a namespace the token is relative to it', async () => {
    const api = startApi();
    await fill(api, ['a', 'b']);
    const first = await api.list(configMaps, { limit: 1 }, 'a');
    expect(first.metadata.continue).toBe(token(3, 'a\u0000'));
    expect(namesOf((await api.list(configMaps, { limit: 1, continue: first.metadata.continue }, 'a')).items)).toEqual(['a/b']);
  });

  test('with a selector the rest is not counted, and pages are full', async () => {
    const api = startApi();
    for (let i = 0; i < 6; i++) await api.call('create', pods, { body: pod(`p${i}`, {}, { odd: String(i % 2) }) });
    const first = await api.list(pods, { limit: 2, labelSelector: 'odd=1' });
    expect(namesOf(first.items)).toEqual(['a/p1', 'a/p3']);
    expect(first.metadata.remainingItemCount).toBeUndefined();
    const second = await api.list(pods, { limit: 2, labelSelector: 'odd=1', continue: first.metadata.continue });
    expect(namesOf(second.items)).toEqual(['a/p5']);
    expect(second.metadata.continue).toBeUndefined();
  });

  test('after a compaction: 410 with a token that goes on at the newest version', async () => {
    const api = startApi();
    await fill(api, ['a', 'b', 'c']);
    const first = await api.list(configMaps, { limit: 1 });
    await api.call('delete', configMaps, { name: 'b' });
    await fill(api, ['d']);
    await api.store.compact(api.store.revision);
    const error = await api.error('list', configMaps, { namespace: undefined, options: { limit: 1, continue: first.metadata.continue } });
    expect(error).toMatchObject({ code: 410, reason: 'Expired' });
    expect(error.message).toMatch(
      /^The provided continue parameter is too old to display a consistent list result\. You can start a new list/,
    );
    const rest = await api.list(configMaps, { continue: error.toStatus().metadata.continue });
    expect(namesOf(rest.items)).toEqual(['a/c', 'a/d']);
    expect(rest.metadata.resourceVersion).toBe(String(api.store.revision));
  });

  test.each([
    ['no base64', '%%%', 'continue key is not valid: illegal base64 data'],
    ['no JSON', Buffer.from('x').toString('base64url'), 'continue key is not valid'],
    ['another form', Buffer.from('{"v":"v2"}').toString('base64url'), 'server does not recognize this encoded version v2'],
    ['no version', token(0, 'a'), 'incorrect encoded start resourceVersion (version meta.k8s.io/v1)'],
    ['no start', token(3, ''), 'encoded start key empty (version meta.k8s.io/v1)'],
    ['a way out of the keys', token(3, '../secrets/a'), 'continue key is not valid: ../secrets/a'],
  ])('a token with %s is 400', async (_name, text, message) => {
    const error = await startApi().error('list', configMaps, { options: { continue: text } });
    expect(error.code).toBe(400);
    expect(error.message).toContain(`invalid continue token: `);
    expect(error.message).toContain(message);
  });
});

describe('resourceVersion of reads', () => {
  test('Exact shows the past; a compacted one is 410', async () => {
    const api = startApi();
    await fill(api, ['a', 'b']);
    await api.call('delete', configMaps, { name: 'a' });
    const past = await api.list(configMaps, { resourceVersion: '3', resourceVersionMatch: 'Exact' });
    expect(namesOf(past.items)).toEqual(['a/a', 'a/b']);
    expect(past.metadata.resourceVersion).toBe('3');
    await api.store.compact(4);
    const error = await api.error('list', configMaps, { options: { resourceVersion: '3', resourceVersionMatch: 'Exact' } });
    expect(error).toMatchObject({ code: 410, message: 'The resourceVersion for the provided list is too old.' });
  });

  test('0 and NotOlderThan are answered by the cache', async () => {
    const api = startApi();
    await fill(api, ['a']);
    for (const options of [
      { resourceVersion: '0' },
      { resourceVersion: '2' },
      { resourceVersion: '2', resourceVersionMatch: 'NotOlderThan' as const },
    ]) {
      expect(namesOf((await api.list(configMaps, options)).items)).toEqual(['a/a']);
    }
  });

  test.each(['list', 'get'] as const)('a version that %s cannot reach is 504 after 3 s', async (verb) => {
    const api = startApi();
    await fill(api, ['a']);
    const failing = api.error(verb, configMaps, { name: verb === 'get' ? 'a' : undefined, options: { resourceVersion: '99' } });
    const error = await api.clock.runFor(failing);
    expect(api.clock.monotonicMs()).toBe(3000);
    expect(error.toStatus()).toMatchObject({
      code: 504,
      reason: 'Timeout',
      message: 'Timeout: Too large resource version: 99, current: 2',
      details: { causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }], retryAfterSeconds: 1 },
    });
  });

  test('a version that comes in time is waited for', async () => {
    const api = startApi();
    const waiting = api.list(configMaps, { resourceVersion: '2' });
    await fill(api, ['a']);
    expect(namesOf((await waiting).items)).toEqual(['a/a']);
  });

  test.each([
    [
      'a match without a version',
      { resourceVersionMatch: 'Exact' },
      422,
      'resourceVersionMatch is forbidden unless resourceVersion is provided',
    ],
    [
      'a match with a token',
      { resourceVersion: '1', resourceVersionMatch: 'Exact', continue: 'x' },
      422,
      'resourceVersionMatch is forbidden when continue is provided',
    ],
    ['an unknown match', { resourceVersion: '1', resourceVersionMatch: 'Near' }, 422, 'resourceVersionMatch: Unsupported value: "Near"'],
    [
      'Exact 0',
      { resourceVersion: '0', resourceVersionMatch: 'Exact' },
      422,
      'resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
    ],
    ['sendInitialEvents', { sendInitialEvents: true }, 422, 'sendInitialEvents is forbidden for list'],
    [
      'a version with a token',
      { resourceVersion: '1', continue: 'x' },
      400,
      'specifying resource version is not allowed when using continue',
    ],
    ['no number', { resourceVersion: 'x' }, 400, 'strconv.ParseUint: parsing "x": invalid syntax'],
  ])('%s is refused', async (_name, options, code, message) => {
    const error = await startApi().error('list', configMaps, { options: options as object });
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
  });
});

describe('what is not a plain object', () => {
  test('objects with a lifetime disappear, grouped by the minute', async () => {
    const api = startApi();
    for (const name of ['x', 'y']) await api.call('create', events, { body: named(name, { involvedObject: {} }) });
    const leases = await Promise.all(['x', 'y'].map(async (name) => (await api.store.get(`/registry/events/a/${name}`))?.lease));
    expect(leases[0]).toBeGreaterThan(0);
    expect(leases[1]).toBe(leases[0]);
    await api.clock.advance(61_000);
    await api.call('create', events, { body: named('z', { involvedObject: {} }) });
    expect((await api.store.get('/registry/events/a/z'))?.lease).not.toBe(leases[0]);
    await api.clock.advance(3_600_000);
    expect(namesOf((await api.list(events)).items)).toEqual(['a/z']);
  });

  test('a view reads and writes the objects of another resource', async () => {
    const api = startApi();
    const made = await api.object('create', eventsView, { body: named('x', { note: 'hello', regarding: { name: 'p' } }) });
    expect(made).toMatchObject({ apiVersion: 'events.k8s.io/v1', kind: 'Event', note: 'hello', regarding: { name: 'p' } });
    const stored = await api.object('get', events, { name: 'x' });
    expect(stored).toMatchObject({ apiVersion: 'v1', kind: 'Event', message: 'hello', involvedObject: { name: 'p' } });
    await api.call('patch', eventsView, { name: 'x', patchType: 'merge', body: { note: 'bye' } });
    expect(await api.object('get', events, { name: 'x' })).toMatchObject({ message: 'bye' });
    const { items, apiVersion } = await api.list(eventsView);
    expect(apiVersion).toBe('events.k8s.io/v1');
    expect(JSON.parse(items[0]?.json.toString() ?? '')).toMatchObject({ apiVersion: 'events.k8s.io/v1', note: 'bye' });
  });

  test('definitions come and go at run time', async () => {
    const api = startApi({ definitions: [configMaps] });
    expect((await api.error('list', namespaces)).message).toBe('the server could not find the requested resource');
    api.handler.registry.add(namespaces);
    await api.call('create', namespaces, { body: named('x') });
    expect(api.handler.definitions).toEqual([configMaps, namespaces]);
    const watch = api.watch(namespaces);
    expect(await watch.nextText()).toBe('ADDED x@2');
    const next = watch.nextText();
    api.handler.registry.remove(namespaces);
    expect(await next).toBe('end');
    expect((await api.error('list', namespaces)).code).toBe(404);
    api.handler.registry.add(namespaces);
    expect(namesOf((await api.list(namespaces)).items)).toEqual(['x']);
  });

  test('a verb that the definition leaves out is 405', async () => {
    const readOnly = { ...deployments, verbs: ['get', 'list'] };
    const error = await startApi({ definitions: [readOnly] }).error('create', readOnly, { body: deployment('x') });
    expect(error).toMatchObject({ code: 405, reason: 'MethodNotAllowed' });
  });
});
