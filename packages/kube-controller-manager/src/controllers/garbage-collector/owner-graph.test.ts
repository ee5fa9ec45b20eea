import type { KubeObject, ObjectMeta, OwnerReference } from '@orrery/apimachinery';
import { describe, expect, test } from 'vitest';
import { newAbsentOwners } from './absent-owners.ts';
import { OwnerGraph } from './owner-graph.ts';

const kind = { apiVersion: 'v1', kind: 'ConfigMap' };
const object = (uid: string, metadata: Partial<ObjectMeta> = {}): KubeObject => ({
  ...kind,
  metadata: { name: uid, uid, namespace: 'ns', ...metadata } as ObjectMeta,
});
const ref = (uid: string, more: Partial<OwnerReference> = {}): OwnerReference => ({ ...kind, name: uid, uid, ...more });
const identity = (uid: string, namespace = 'ns') => ({ ...kind, name: uid, uid, namespace });

function newGraph() {
  const told: string[] = [];
  const absent = newAbsentOwners();
  const graph = new OwnerGraph(absent, {
    attemptToDelete: (uid) => told.push(`delete ${uid}`),
    attemptToDeleteLater: (uid) => told.push(`later ${uid}`),
    attemptToOrphan: (uid) => told.push(`orphan ${uid}`),
    invalidNamespace: (node, reference) => told.push(`namespace of ${reference.uid} for ${node.identity.uid}`),
  });
  return {
    graph,
    absent,
    add: (one: KubeObject) => graph.observe(kind, one, undefined),
    update: (old: KubeObject, one: KubeObject) => graph.observe(kind, one, old),
    remove: (one: KubeObject) => graph.remove(kind, one),
    take: () => told.splice(0),
  };
}

describe('owners', () => {
  test('an owner that was not seen is asked for, then known', () => {
    const { graph, add, take } = newGraph();
    add(object('child', { ownerReferences: [ref('owner')] }));
    expect(take()).toEqual(['delete owner']);
    expect(graph.get('owner')).toMatchObject({ isVirtual: true, identity: identity('owner') });
    add(object('owner'));
    expect(take()).toEqual([]);
    expect(graph.get('owner')?.isVirtual).toBe(false);
    expect(graph.get('owner')?.dependents.size).toBe(1);
  });

  test('when the owner goes, its dependents are looked at, and it is known to be absent', () => {
    const { graph, add, remove, absent, take } = newGraph();
    add(object('owner'));
    add(object('a', { ownerReferences: [ref('owner')] }));
    add(object('b', { ownerReferences: [ref('owner')] }));
    remove(object('owner'));
    expect(take()).toEqual(['delete a', 'delete b']);
    expect(absent.has(identity('owner'))).toBe(true);
    expect(graph.size).toBe(2);
  });

  test('references come and go', () => {
    const { graph, add, update, take } = newGraph();
    const before = object('child', { ownerReferences: [ref('a', { blockOwnerDeletion: true }), ref('b')] });
    for (const one of [object('a'), object('b'), object('c'), before]) add(one);
    update(before, object('child', { ownerReferences: [ref('b'), ref('c')] }));
    expect(take()).toEqual(['delete a']); // It may have waited for the child.
    expect(['a', 'b', 'c'].map((uid) => graph.get(uid)?.dependents.size)).toEqual([0, 1, 1]);
  });

  test('a reference that stops blocking wakes the owner', () => {
    const { add, update, take } = newGraph();
    const before = object('child', { ownerReferences: [ref('a', { blockOwnerDeletion: true })] });
    for (const one of [object('a'), before]) add(one);
    update(before, object('child', { ownerReferences: [ref('a', { blockOwnerDeletion: false })] }));
    expect(take()).toEqual(['delete a']);
  });
});

describe('deletions that wait', () => {
  const going = (finalizer: string) => object('owner', { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: [finalizer] });

  test('in the foreground: dependents first, the owner again when one is gone', () => {
    const { graph, add, update, remove, take } = newGraph();
    add(object('owner'));
    add(object('child', { ownerReferences: [ref('owner')] }));
    update(object('owner'), going('foregroundDeletion'));
    expect(take()).toEqual(['delete child', 'delete owner']);
    expect(graph.get('owner')).toMatchObject({ isBeingDeleted: true, isDeletingDependents: true });
    update(going('foregroundDeletion'), going('foregroundDeletion'));
    expect(take()).toEqual([]);
    remove(object('child'));
    expect(take()).toEqual(['delete owner']);
  });

  test('orphaning', () => {
    const { add, update, take } = newGraph();
    add(object('owner'));
    update(object('owner'), going('orphan'));
    expect(take()).toEqual(['orphan owner']);
  });

  test('seen for the first time in the middle of it', () => {
    const { add, take } = newGraph();
    add(going('foregroundDeletion'));
    expect(take()).toEqual(['delete owner']);
  });
});

describe('wrong references', () => {
  test.each([
    ['owner first', ['owner', 'child']],
    ['dependent first', ['child', 'owner']],
  ])('an owner in another namespace, %s', (_name, order) => {
    const { add, take } = newGraph();
    const all: Record<string, KubeObject> = {
      owner: object('owner', { namespace: 'elsewhere' }),
      child: object('child', { ownerReferences: [ref('owner')] }),
    };
    for (const name of order) add(all[name] ?? object(name));
    expect(take().filter((text) => text !== 'delete owner')).toEqual(['namespace of owner for child', 'delete child']);
  });

  test('dependents that disagree about an absent owner: each identity is tried', () => {
    const { graph, add, absent, take } = newGraph();
    add(object('a', { ownerReferences: [ref('ghost', { name: 'one' })] }));
    add(object('b', { ownerReferences: [ref('ghost', { name: 'two' })] }));
    expect(take()).toEqual(['delete ghost', 'delete b']);
    expect(graph.removeAbsent({ ...identity('ghost'), name: 'one' })).toBe(false);
    expect(take()).toEqual(['delete a', 'later ghost']);
    expect(absent.has({ ...identity('ghost'), name: 'one' })).toBe(true);
    expect(graph.get('ghost')?.identity.name).toBe('two');
    graph.remove(kind, object('a'));
    expect(graph.removeAbsent({ ...identity('ghost'), name: 'two' })).toBe(true);
    expect(take()).toEqual(['delete b']);
  });

  test('a real owner is not dropped for a wrong reference to it', () => {
    const { graph, add, take } = newGraph();
    add(object('owner'));
    add(object('child', { ownerReferences: [ref('owner', { name: 'wrong' })] }));
    expect(take()).toEqual(['delete child']);
    expect(graph.removeAbsent({ ...identity('owner'), name: 'wrong' })).toBe(false);
    expect(graph.get('owner')).toBeDefined();
    expect(take()).toEqual(['delete child']);
  });
});

test('absent owners: the least recently used are forgotten', () => {
  const absent = newAbsentOwners(2);
  absent.add(identity('a'));
  absent.add(identity('b'));
  expect(absent.has(identity('a'))).toBe(true);
  absent.add(identity('c'));
  expect([absent.has(identity('a')), absent.has(identity('b')), absent.has(identity('c'))]).toEqual([true, false, true]);
  expect(absent.has(identity('a', 'other'))).toBe(false);
});
