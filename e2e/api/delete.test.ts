import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Any, contentType, podTemplateSpec, startWire, type Wire } from './wire.ts';

let wire: Wire;
let space: string;
beforeAll(async () => {
  wire = await startWire({ controllers: false, scheduler: false });
  space = await wire.namespace();
  await wire.expectCode(201, 'POST', `/api/v1/namespaces/${space}/serviceaccounts`, { body: { metadata: { name: 'default' } } });
});
afterAll(() => wire?.[Symbol.asyncDispose]());

const labels = { app: 'x' };
let made = 0;
const replicaSet = async (metadata: object = {}): Promise<string> => {
  const path = `/apis/apps/v1/namespaces/${space}/replicasets`;
  const name = `rs-${++made}`;
  const spec = { selector: { matchLabels: labels }, template: podTemplateSpec(labels) };
  await wire.expectCode(201, 'POST', path, { body: { metadata: { name, labels, ...metadata }, spec } });
  return `${path}/${name}`;
};
const orphanDependents = { kind: 'DeleteOptions', apiVersion: 'v1', orphanDependents: false };
const held = { finalizers: ['kube.io/dummy-finalizer'] };

describe('delete', () => {
  test('202 for what waits, when asked to cascade in the old way; 200 else', async () => {
    const gone = await wire.expectCode(200, 'DELETE', await replicaSet());
    expect(gone).toMatchObject({
      kind: 'Status',
      status: 'Success',
      details: { group: 'apps', kind: 'replicasets', uid: expect.any(String) },
    });
    const waits = await wire.expectCode(200, 'DELETE', await replicaSet(held));
    expect(waits).toMatchObject({ kind: 'ReplicaSet', metadata: { deletionTimestamp: expect.any(String), deletionGracePeriodSeconds: 0 } });
    await wire.expectCode(200, 'DELETE', await replicaSet(), { body: orphanDependents });
    await wire.expectCode(202, 'DELETE', await replicaSet(held), { body: orphanDependents });
  });

  test('what waits for finalizers goes with the last; new ones are refused', async () => {
    const path = await replicaSet(held);
    await wire.expectCode(200, 'DELETE', path);
    const more = { metadata: { finalizers: [...held.finalizers, 'kube.io/another'] } };
    const refused = await wire.expectCode(422, 'PATCH', path, { body: more, type: contentType.merge });
    expect(refused.message).toContain('no new finalizers can be added if the object is being deleted');
    await wire.expectCode(200, 'PATCH', path, { body: { metadata: { finalizers: null } }, type: contentType.merge });
    await wire.expectCode(404, 'GET', path);
  });

  test('propagation policies leave their finalizers', async () => {
    for (const [policy, finalizers] of [
      ['Orphan', ['orphan']],
      ['Foreground', ['foregroundDeletion']],
    ] as const) {
      const path = await replicaSet();
      const answer = await wire.expectCode(200, 'DELETE', `${path}?propagationPolicy=${policy}`);
      expect(answer.metadata.finalizers).toEqual(finalizers);
      // Background takes the earlier wish back.
      await wire.expectCode(200, 'DELETE', `${path}?propagationPolicy=Background`);
      await wire.expectCode(404, 'GET', path);
    }
  });

  test('preconditions', async () => {
    const path = await replicaSet();
    const { metadata } = await wire.expectCode(200, 'GET', path);
    const body = (preconditions: object) => ({ body: { kind: 'DeleteOptions', apiVersion: 'v1', preconditions } });
    await wire.expectCode(409, 'DELETE', path, body({ uid: 'other' }));
    await wire.expectCode(409, 'DELETE', path, body({ resourceVersion: '1' }));
    await wire.expectCode(200, 'DELETE', path, body({ uid: metadata.uid, resourceVersion: metadata.resourceVersion }));
  });

  test('a collection by label, and a dry run of it', async () => {
    const base = `/api/v1/namespaces/${space}/configmaps`;
    for (const name of ['a', 'b', 'c']) {
      await wire.expectCode(201, 'POST', base, { body: { metadata: { name, labels: { set: name === 'c' ? 'other' : 'mine' } } } });
    }
    const dry = await wire.expectCode(200, 'DELETE', `${base}?labelSelector=set%3Dmine&dryRun=All`);
    expect(dry.items).toHaveLength(2);
    const list = await wire.expectCode(200, 'DELETE', `${base}?labelSelector=set%3Dmine`);
    expect(list).toMatchObject({ kind: 'ConfigMapList', items: [{ metadata: { name: 'a' } }, { metadata: { name: 'b' } }] });
    const left = await wire.expectCode(200, 'GET', base);
    expect(left.items.map(({ metadata }: Any) => metadata.name)).toEqual(['c']);
  });

  test('pods go gracefully; the grace period may be shortened alone', async () => {
    const base = `/api/v1/namespaces/${space}/pods`;
    const { spec } = podTemplateSpec(labels) as Any;
    await wire.expectCode(201, 'POST', base, { body: { metadata: { name: 'p' }, spec: { ...spec, nodeName: 'nowhere' } } });
    const grace = async (seconds?: number) =>
      (await wire.expectCode(200, 'DELETE', `${base}/p${seconds === undefined ? '' : `?gracePeriodSeconds=${seconds}`}`)).metadata;
    const first = await grace();
    expect(first).toMatchObject({ deletionGracePeriodSeconds: 30, generation: 2 });
    expect(await grace(60)).toEqual(first);
    expect((await grace(5)).deletionGracePeriodSeconds).toBe(5);
    const last = await wire.expectCode(200, 'DELETE', `${base}/p?gracePeriodSeconds=0`);
    expect(last).toMatchObject({ kind: 'Pod', metadata: { name: 'p' } });
    await wire.expectCode(404, 'GET', `${base}/p`);
    await wire.expectCode(201, 'POST', base, { body: { metadata: { name: 'unscheduled' }, spec } });
    await wire.expectCode(200, 'DELETE', `${base}/unscheduled`);
    await wire.expectCode(404, 'GET', `${base}/unscheduled`);
  });

  test('a finalizer has a domain, or is a standard one', async () => {
    const base = `/api/v1/namespaces/${space}/configmaps`;
    const refused = await wire.expectCode(422, 'POST', base, {
      body: { metadata: { name: 'f', finalizers: ['foregroundDeletion', 'dummy'] } },
    });
    expect(refused.details.causes).toEqual([
      {
        reason: 'FieldValueInvalid',
        field: 'metadata.finalizers[1]',
        message: 'Invalid value: "dummy": name is neither a standard finalizer name nor is it fully qualified',
      },
    ]);
  });
});
