import { describe, expect, test } from 'vitest';
import { configMaps, deployment, deployments, named, namespaces, pod, pods, startApi, textOf } from './test-api.ts';

describe('delete', () => {
  test('answers a Status with details', async () => {
    const api = startApi();
    const made = await api.object('create', configMaps, { body: named('x') });
    expect(await api.object('delete', configMaps, { name: 'x' })).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      details: { name: 'x', kind: 'configmaps', uid: made.metadata.uid },
    });
    expect((await api.error('get', configMaps, { name: 'x' })).message).toBe('configmaps "x" not found');
    expect((await api.error('delete', configMaps, { name: 'x' })).code).toBe(404);
  });

  test.each([
    ['uid', { uid: 'u' }, 'the UID in the precondition (u) does not match the UID in record ('],
    [
      'resourceVersion',
      { resourceVersion: '1' },
      'the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (2). The object might have been modified',
    ],
  ])('a precondition on %s', async (_name, preconditions, message) => {
    const api = startApi();
    await api.call('create', configMaps, { body: named('x') });
    const error = await api.error('delete', configMaps, { name: 'x', body: { kind: 'DeleteOptions', apiVersion: 'v1', preconditions } });
    expect(error.code).toBe(409);
    expect(error.message).toContain(message);
    expect((await api.error('delete', configMaps, { name: 'x', options: { preconditions } })).code).toBe(409);
  });

  test('an object with finalizers is marked, and goes with the last one', async () => {
    const api = startApi();
    await api.call('create', configMaps, { body: { metadata: { name: 'x', finalizers: ['example.com/a'] } } });
    const watch = api.watch(configMaps, { resourceVersion: '2' });
    const marked = await api.object('delete', configMaps, { name: 'x' });
    expect(marked.metadata).toMatchObject({
      deletionTimestamp: '2026-01-01T00:00:00Z',
      deletionGracePeriodSeconds: 0,
      finalizers: ['example.com/a'],
    });
    expect(await api.object('delete', configMaps, { name: 'x' })).toBe(marked);
    const body = { metadata: { finalizers: null } };
    const last = await api.object('patch', configMaps, { name: 'x', patchType: 'merge', body });
    expect(last.metadata.finalizers).toBeUndefined();
    expect((await api.error('get', configMaps, { name: 'x' })).code).toBe(404);
    expect([await watch.nextText(), await watch.nextText()]).toEqual(['MODIFIED a/x@3', 'DELETED a/x@4']);
    watch.stop();
  });

  test('no finalizer may be added to an object on its way out', async () => {
    const api = startApi();
    await api.call('create', configMaps, { body: { metadata: { name: 'x', finalizers: ['example.com/a'] } } });
    await api.call('delete', configMaps, { name: 'x' });
    const body = { metadata: { finalizers: ['example.com/a', 'example.com/b'] } };
    const error = await api.error('patch', configMaps, { name: 'x', patchType: 'merge', body });
    expect(error.code).toBe(422);
    expect(error.message).toContain('no new finalizers can be added if the object is being deleted');
  });

  test.each([
    ['Foreground', { propagationPolicy: 'Foreground' }, ['foregroundDeletion']],
    ['Orphan', { propagationPolicy: 'Orphan' }, ['orphan']],
    ['Background', { propagationPolicy: 'Background' }, undefined],
    ['orphanDependents: true', { orphanDependents: true }, ['orphan']],
    ['orphanDependents: false', { orphanDependents: false }, undefined],
  ])('propagation %s', async (_name, options, finalizers) => {
    const api = startApi();
    await api.call('create', configMaps, { body: named('x') });
    const answer = await api.object('delete', configMaps, { name: 'x', body: options });
    if (finalizers === undefined) expect(answer.kind).toBe('Status');
    else expect(answer.metadata).toMatchObject({ finalizers, deletionTimestamp: '2026-01-01T00:00:00Z' });
  });

  test('the kind’s default propagation holds where the client names none; marking counts as a change', async () => {
    const api = startApi();
    await api.call('create', deployments, { body: deployment('x') });
    const marked = await api.object('delete', deployments, { name: 'x' });
    expect(marked.metadata).toMatchObject({ finalizers: ['orphan'], generation: 2 });
  });

  test.each([
    [
      'both forms of propagation',
      { orphanDependents: true, propagationPolicy: 'Orphan' },
      'orphanDependents and deletionPropagation cannot be both set',
    ],
    ['an unknown policy', { propagationPolicy: 'Sideways' }, 'propagationPolicy: Unsupported value: "Sideways"'],
    ['an unknown dryRun', { dryRun: ['Some'] }, 'dryRun: Unsupported value'],
  ])('%s is 422', async (_name, body, message) => {
    const error = await startApi().error('delete', configMaps, { name: 'x', body });
    expect(error.code).toBe(422);
    expect(error.message).toContain(message);
  });

  test.each([
    ['in the body', { body: { dryRun: ['All'] } }],
    ['in the query', { options: { dryRun: true } }],
  ])('a dry run %s deletes nothing', async (_name, call) => {
    const api = startApi();
    await api.call('create', configMaps, { body: named('x') });
    expect((await api.object('delete', configMaps, { name: 'x', ...call })).kind).toBe('Status');
    expect((await api.object('get', configMaps, { name: 'x' })).metadata.name).toBe('x');
  });

  test('what holds an object keeps it, and a second delete is 409', async () => {
    const api = startApi();
    await api.call('create', namespaces, { body: named('x', { spec: { finalizers: ['kubernetes'] } }) });
    const marked = await api.object('delete', namespaces, { name: 'x' });
    expect(marked).toMatchObject({ status: { phase: 'Terminating' }, metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } });
    expect((await api.error('delete', namespaces, { name: 'x' })).message).toBe(
      'Operation cannot be fulfilled on namespaces "x": being emptied',
    );
    await api.call('update', namespaces, { name: 'x', subresource: 'finalize', body: { ...marked, spec: { finalizers: [] } } });
    expect((await api.error('get', namespaces, { name: 'x' })).code).toBe(404);
  });

  test('finalizers hold out past what else held the object', async () => {
    const api = startApi();
    await api.call('create', namespaces, {
      body: { metadata: { name: 'x', finalizers: ['example.com/a'] }, spec: { finalizers: ['kubernetes'] } },
    });
    const marked = await api.object('delete', namespaces, { name: 'x' });
    await api.call('update', namespaces, { name: 'x', subresource: 'finalize', body: { ...marked, spec: { finalizers: [] } } });
    expect((await api.object('get', namespaces, { name: 'x' })).metadata.finalizers).toEqual(['example.com/a']);
  });
});

describe('graceful deletion', () => {
  test('marks for the grace period, shortens it, and removes at zero', async () => {
    const api = startApi();
    await api.call('create', pods, { body: pod('x') });
    const marked = await api.object('delete', pods, { name: 'x' });
    expect(marked.metadata).toMatchObject({ deletionTimestamp: '2026-01-01T00:00:30Z', deletionGracePeriodSeconds: 30 });
    expect(await api.object('delete', pods, { name: 'x', options: { gracePeriodSeconds: 60 } })).toBe(marked);
    const sooner = await api.object('delete', pods, { name: 'x', options: { gracePeriodSeconds: 10 } });
    expect(sooner.metadata).toMatchObject({ deletionTimestamp: '2026-01-01T00:00:10Z', deletionGracePeriodSeconds: 10 });
    const watch = api.watch(pods, { resourceVersion: sooner.metadata.resourceVersion });
    const gone = await api.object('delete', pods, { name: 'x', options: { gracePeriodSeconds: 0 } });
    expect(gone).toMatchObject({ kind: 'Pod', metadata: { deletionGracePeriodSeconds: 0 } });
    const event = await watch.next();
    expect(event?.type).toBe('DELETED');
    expect(event?.item.object.metadata.resourceVersion).toBe(gone.metadata.resourceVersion);
    watch.stop();
  });

  test('an update does not remove a pod whose time is not up', async () => {
    const api = startApi();
    await api.call('create', pods, { body: pod('x') });
    const marked = await api.object('delete', pods, { name: 'x' });
    await api.call('update', pods, { name: 'x', subresource: 'status', body: { ...marked, status: { phase: 'Running' } } });
    expect(await api.object('get', pods, { name: 'x' })).toMatchObject({ status: { phase: 'Running' } });
  });

  test('with finalizers a forced delete still waits for them', async () => {
    const api = startApi();
    const body = pod('x') as { metadata: object };
    await api.call('create', pods, { body: { ...body, metadata: { ...body.metadata, finalizers: ['example.com/a'] } } });
    await api.call('delete', pods, { name: 'x', options: { gracePeriodSeconds: 0 } });
    await api.call('patch', pods, { name: 'x', patchType: 'merge', body: { metadata: { finalizers: null } } });
    expect((await api.error('get', pods, { name: 'x' })).code).toBe(404);
  });
});

describe('deletecollection', () => {
  test('deletes what the selectors take and answers with the list', async () => {
    const api = startApi();
    for (const name of ['x', 'y', 'z']) {
      await api.call('create', configMaps, { body: { metadata: { name, labels: { keep: name === 'y' ? 'yes' : 'no' } } } });
    }
    const watch = api.watch(configMaps, { resourceVersion: '4' });
    const result = await api.call('deletecollection', configMaps, { options: { labelSelector: 'keep=no' } });
    expect(result.type === 'list' && result.items.map(({ object }) => object.metadata.name)).toEqual(['x', 'z']);
    expect((await api.list(configMaps)).items.map(({ object }) => object.metadata.name)).toEqual(['y']);
    const events = [await watch.next(), await watch.next()].map((event) => event && textOf(event));
    expect(events.map((text) => text?.split('@')[0]).sort()).toEqual(['DELETED a/x', 'DELETED a/z']);
    watch.stop();
  });
});
