import type { ObjectMeta } from '@orrery/apimachinery';
import { expect, test } from 'vitest';
import { newNode } from './graph-node.ts';
import { type ClassifiedOwners, type Verdict, verdictOf } from './verdict.ts';

const ref = (uid: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', name: uid, uid });
const latest = (...finalizers: string[]) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', finalizers } as unknown as ObjectMeta,
});
const dependent = (isDeletingDependents = false) => ({ ...newNode({ ...ref('d'), namespace: '' }, false), isDeletingDependents });
const owners = (owned: Partial<ClassifiedOwners>): ClassifiedOwners => ({ solid: [], dangling: [], waiting: [], ...owned });
const [a, b, c] = [ref('a'), ref('b'), ref('c')];
const deletion = (propagation: 'Background' | 'Foreground' | 'Orphan', unblock = false): Verdict => ({
  type: 'delete',
  propagation,
  unblock,
});

test.each<[string, ReturnType<typeof latest>, ClassifiedOwners, ReturnType<typeof dependent>[], Verdict]>([
  ['an owner lives', latest(), owners({ solid: [a] }), [], { type: 'keep' }],
  ['one lives, one is gone', latest(), owners({ solid: [a], dangling: [b] }), [], { type: 'drop-owners', uids: ['b'] }],
  ['one lives, others go', latest(), owners({ solid: [a], dangling: [b], waiting: [c] }), [], { type: 'drop-owners', uids: ['b', 'c'] }],
  ['all are gone', latest(), owners({ dangling: [a, b] }), [dependent()], deletion('Background')],
  ['all are gone, orphaning asked for', latest('orphan'), owners({ dangling: [a] }), [], deletion('Orphan')],
  ['all are gone, foreground asked for', latest('foregroundDeletion'), owners({ dangling: [a] }), [], deletion('Foreground')],
  ['an owner waits, no dependents', latest(), owners({ waiting: [a] }), [], deletion('Background')],
  ['an owner waits, dependents too', latest(), owners({ waiting: [a] }), [dependent()], deletion('Foreground')],
  ['a cycle', latest(), owners({ waiting: [a] }), [dependent(true)], deletion('Foreground', true)],
])('%s', (_name, object, classified, dependents, expected) => {
  expect(verdictOf(object, classified, dependents)).toEqual(expected);
});
