import { pods, replicaSets } from '@orrery/api';
import { type KubeObject, newForbidden, newInvalid, newNotFound, selectorFromSet } from '@orrery/apimachinery';
import { newVirtualClock } from '@orrery/base';
import { describe, expect, test } from 'vitest';
import { claimObjects, recheckDeletion } from './claim.ts';
import { createControllers } from './descriptor.ts';
import { newExpectations } from './expectations.ts';
import { newManager, runAll } from './manager.ts';
import { newObjectControl, podFromTemplate } from './object-control.ts';
import { slowStartBatch } from './slow-start.ts';

const object = (kind: string, name: string, metadata: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: { name, namespace: 'ns', uid: `uid-${name}`, creationTimestamp: '', resourceVersion: '1', ...metadata },
});

describe('expectations', () => {
  test('settled when everything expected was observed', () => {
    const expectations = newExpectations({ clock: newVirtualClock() });
    expect(expectations.isSettled('a')).toBe(true);
    expectations.expect('a', { creations: 2, deletions: ['x'] });
    expectations.creationObserved('a');
    expectations.creationObserved('a');
    expect(expectations.isSettled('a')).toBe(false);
    expectations.deletionObserved('a', 'x');
    expect(expectations.isSettled('a')).toBe(true);
  });
  test('a deletion counts once by uid, strangers not at all', () => {
    const expectations = newExpectations({ clock: newVirtualClock() });
    expectations.expect('a', { deletions: ['x', 'y'] });
    expectations.deletionObserved('a', 'x');
    expectations.deletionObserved('a', 'x');
    expectations.deletionObserved('a', 'z');
    expect(expectations.isSettled('a')).toBe(false);
    expectations.deletionObserved('a', 'y');
    expect(expectations.isSettled('a')).toBe(true);
  });
  test('expire after five minutes, and are forgotten with the object', async () => {
    const clock = newVirtualClock();
    const expectations = newExpectations({ clock });
    expectations.expect('a', { creations: 1 });
    await clock.advance(300_000);
    expect(expectations.isSettled('a')).toBe(false);
    await clock.advance(1);
    expect(expectations.isSettled('a')).toBe(true);
    expectations.expect('b', { creations: 1 });
    expectations.forget('b');
    expect(expectations.isSettled('b')).toBe(true);
  });
});

describe('slowStartBatch', () => {
  const cases = [
    { name: 'all succeed', count: 10, failFrom: 99, calls: 10, want: { successes: 10, skipped: 0 } },
    { name: 'nothing to do', count: 0, failFrom: 0, calls: 0, want: { successes: 0, skipped: 0 } },
    { name: 'the first fails', count: 500, failFrom: 0, calls: 1, want: { successes: 0, skipped: 499 } },
    { name: 'a later batch fails in part', count: 10, failFrom: 5, calls: 7, want: { successes: 5, skipped: 3 } },
  ];
  for (const { name, count, failFrom, calls, want } of cases) {
    test(name, async () => {
      let called = 0;
      const outcome = await slowStartBatch(count, async (index) => {
        called += 1;
        if (index >= failFrom) throw new Error('quota');
      });
      expect(outcome).toMatchObject(want);
      expect(called).toBe(calls);
    });
  }
});

describe('claimObjects', () => {
  const owner = object('ReplicaSet', 'rs');
  const mine = { controller: true, apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'rs', uid: 'uid-rs' };
  const labels = { app: 'a' };
  const claim = async (pod: KubeObject, changes: { owner?: KubeObject; adopt?: Error; canAdopt?: Error } = {}) => {
    const calls: string[] = [];
    const claimed = await claimObjects([pod], {
      owner: changes.owner ?? owner,
      selector: selectorFromSet(labels),
      canAdopt: async () => {
        if (changes.canAdopt !== undefined) throw changes.canAdopt;
      },
      control: {
        adopt: async () => {
          calls.push('adopt');
          if (changes.adopt !== undefined) throw changes.adopt;
        },
        release: async () => void calls.push('release'),
      },
    });
    return [...calls, ...claimed.map(() => 'claimed')];
  };
  const going = object('ReplicaSet', 'rs', { deletionTimestamp: '2026-01-01T00:00:00Z' });
  const cases = [
    { name: 'owned and matching', pod: object('Pod', 'p', { labels, ownerReferences: [mine] }), want: ['claimed'] },
    { name: 'owned, no longer matching', pod: object('Pod', 'p', { ownerReferences: [mine] }), want: ['release'] },
    { name: 'orphan and matching', pod: object('Pod', 'p', { labels }), want: ['adopt', 'claimed'] },
    { name: 'orphan, not matching', pod: object('Pod', 'p'), want: [] },
    { name: 'orphan being deleted', pod: object('Pod', 'p', { labels, deletionTimestamp: 'x' }), want: [] },
    { name: "another's", pod: object('Pod', 'p', { labels, ownerReferences: [{ ...mine, uid: 'other' }] }), want: [] },
    { name: 'owner going: no adoption', pod: object('Pod', 'p', { labels }), changes: { owner: going }, want: [] },
    { name: 'owner going: no release', pod: object('Pod', 'p', { ownerReferences: [mine] }), changes: { owner: going }, want: [] },
    { name: 'gone while adopting', pod: object('Pod', 'p', { labels }), changes: { adopt: newNotFound(pods, 'p') }, want: ['adopt'] },
  ];
  for (const { name, pod, changes, want } of cases) test(name, async () => expect(await claim(pod, changes)).toEqual(want));

  test('a refused adoption rejects', async () => {
    await expect(claim(object('Pod', 'p', { labels }), { canAdopt: new Error('no') })).rejects.toThrow('no');
    await expect(claim(object('Pod', 'p', { labels }), { adopt: new Error('taken') })).rejects.toThrow('taken');
  });

  test('recheckDeletion asks the server', async () => {
    const answer = (live: KubeObject) => recheckDeletion({ get: (async () => live) as never }, replicaSets, owner as never)();
    await expect(answer(owner)).resolves.toBeUndefined();
    await expect(answer(going)).rejects.toThrow('ReplicaSet ns/rs has just been deleted at 2026-01-01T00:00:00Z');
    await expect(answer(object('ReplicaSet', 'rs', { uid: 'new' }))).rejects.toThrow(
      'original ReplicaSet ns/rs is gone: got uid new, wanted uid-rs',
    );
  });
});

describe('object control', () => {
  const owner = object('ReplicaSet', 'rs');
  const setup = (failure?: Error) => {
    const calls: unknown[] = [];
    const events: string[] = [];
    const answer = async (...call: readonly unknown[]) => {
      calls.push(call);
      if (failure !== undefined) throw failure;
      return object('Pod', 'rs-x');
    };
    const control = newObjectControl<KubeObject>({
      client: {
        create: ((_resource: unknown, created: object) => answer('create', created)) as never,
        delete: ((_resource: unknown, key: { name: string }) => answer('delete', key.name)) as never,
        patch: ((_resource: unknown, key: { name: string }, type: string, body: object) => answer('patch', key.name, type, body)) as never,
      },
      resource: pods as never,
      owner: replicaSets as never,
      recorder: { event: (_on, type, reason, message) => void events.push(`${type} ${reason} ${message}`) },
    });
    return { control, calls, events };
  };

  test('creates with the controller reference, and says so', async () => {
    const { control, calls, events } = setup();
    await control.create(podFromTemplate({ metadata: { labels: { a: 'b' } }, spec: { containers: [] } } as never, owner) as never, owner);
    expect(calls).toEqual([
      [
        'create',
        {
          metadata: {
            generateName: 'rs-',
            namespace: 'ns',
            labels: { a: 'b' },
            ownerReferences: [
              { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'rs', uid: 'uid-rs', controller: true, blockOwnerDeletion: true },
            ],
          },
          spec: { containers: [] },
        },
      ],
    ]);
    expect(events).toEqual(['Normal SuccessfulCreate Created pod: rs-x']);
  });

  test('a failure is recorded and thrown, but for namespaces that go away and pods that are gone', async () => {
    const quota = setup(newForbidden(pods, '', 'exceeded quota'));
    await expect(quota.control.create(object('Pod', '') as never, owner)).rejects.toThrow('exceeded quota');
    expect(quota.events).toEqual(['Warning FailedCreate Error creating: pods is forbidden: exceeded quota']);
    const gone = setup(newNotFound(pods, 'p'));
    await expect(gone.control.remove(object('Pod', 'p'), owner)).rejects.toThrow('not found');
    expect(gone.events).toEqual([]);
  });

  test('adopts and releases by patch, guarded by uid', async () => {
    const { control, calls } = setup();
    await control.adopt(object('Pod', 'p'), owner);
    await control.release(object('Pod', 'p'), owner);
    expect(calls).toMatchObject([
      ['patch', 'p', 'strategic', { metadata: { uid: 'uid-p', ownerReferences: [{ uid: 'uid-rs', controller: true }] } }],
      ['patch', 'p', 'strategic', { metadata: { uid: 'uid-p', ownerReferences: [{ $patch: 'delete', uid: 'uid-rs' }] } }],
    ]);
    const replaced = setup(newInvalid({ group: '', kind: 'Pod' }, 'p', []));
    await expect(replaced.control.release(object('Pod', 'p'), owner)).resolves.toBeUndefined();
    await expect(replaced.control.adopt(object('Pod', 'p'), owner)).rejects.toThrow();
  });
});

describe('lifetimes', () => {
  const untilAbort = (signal: AbortSignal) => new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));

  test('one failure stops all and is what run rejects with', async () => {
    let stopped = 0;
    const good = {
      async run(signal: AbortSignal) {
        await untilAbort(signal);
        stopped += 1;
      },
    };
    const bad = { run: () => Promise.reject(new Error('broken')) };
    await expect(runAll([good, bad, good], new AbortController().signal)).rejects.toThrow('broken');
    expect(stopped).toBe(2);
  });

  test('controllers run only while leading', async () => {
    const log: string[] = [];
    const stop = new AbortController();
    const manager = newManager({
      controllers: [
        {
          async run(signal) {
            log.push('start');
            await untilAbort(signal);
            log.push('end');
          },
        },
      ],
      leaderElection: {
        async run(signal, lead) {
          log.push('won');
          await lead(signal);
          log.push('released');
        },
      },
    });
    const running = manager.run(stop.signal);
    stop.abort();
    await running;
    expect(log).toEqual(['won', 'start', 'end', 'released']);
  });

  test('two descriptors of one name are a bug', () => {
    const descriptor = { name: 'a', featureGates: [], create: () => ({ run: async () => {} }) };
    expect(() => createControllers([descriptor, descriptor], {})).toThrow('two controllers are called a');
  });
});
