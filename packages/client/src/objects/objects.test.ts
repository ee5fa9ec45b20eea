import { configMaps } from '@orrery/api';
import type { Pod } from '@orrery/api/core/v1';
import { newConflict } from '@orrery/apimachinery';
import { newSeededRandom, newVirtualClock } from '@orrery/base';
import { describe, expect, test } from 'vitest';
import { newClient } from '../new-client.ts';
import { newScriptedServer } from '../testing/scripted-server.ts';
import { type ConditionLike, removeCondition, setCondition } from './conditions.ts';
import { byControllerUid, controllerRef, isControlledBy, newControllerRef } from './owner-references.ts';
import { isPodActive, isPodAvailable, isPodReady, isPodTerminal, podAvailableInMs } from './pods.ts';
import { retryOnConflict } from './retry-on-conflict.ts';
import { waitFor } from './wait-for.ts';

const nowMs = Date.UTC(2026, 0, 1);

describe('setCondition', () => {
  const old: readonly ConditionLike[] = [
    { type: 'Ready', status: 'True', reason: 'A', message: 'm', lastTransitionTime: '2025-01-01T00:00:00Z' },
  ];
  const cases = [
    {
      name: 'new',
      before: undefined,
      set: { type: 'Ready', status: 'True' },
      want: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }],
    },
    {
      name: 'another status',
      before: old,
      set: { type: 'Ready', status: 'False', reason: 'B' },
      want: [{ type: 'Ready', status: 'False', reason: 'B', lastTransitionTime: '2026-01-01T00:00:00Z' }],
    },
    {
      name: 'another reason only',
      before: old,
      set: { type: 'Ready', status: 'True', reason: 'B' },
      want: [{ type: 'Ready', status: 'True', reason: 'B', lastTransitionTime: '2025-01-01T00:00:00Z' }],
    },
  ];
  for (const { name, before, set, want } of cases) test(name, () => expect(setCondition(before, set, nowMs)).toEqual(want));
  test('nothing new: the same list', () => {
    expect(setCondition(old, { type: 'Ready', status: 'True', reason: 'A', message: 'm' }, nowMs)).toBe(old);
    expect(removeCondition(old, 'Other')).toBe(old);
    expect(removeCondition(old, 'Ready')).toEqual([]);
  });
});

describe('pods', () => {
  const pod = (phase: string, ready?: string, metadata: object = {}): Pod =>
    ({
      metadata: { name: 'p', ...metadata },
      status: {
        phase,
        conditions: ready === undefined ? [] : [{ type: 'Ready', status: ready, lastTransitionTime: '2025-12-31T23:59:50Z' }],
      },
    }) as unknown as Pod;
  const cases = [
    { name: 'running and ready', pod: pod('Running', 'True'), ready: true, active: true, terminal: false },
    { name: 'running, not ready', pod: pod('Running', 'False'), ready: false, active: true, terminal: false },
    { name: 'pending', pod: pod('Pending'), ready: false, active: true, terminal: false },
    { name: 'being deleted', pod: pod('Running', 'True', { deletionTimestamp: 'x' }), ready: true, active: false, terminal: false },
    { name: 'succeeded', pod: pod('Succeeded'), ready: false, active: false, terminal: true },
    { name: 'failed', pod: pod('Failed'), ready: false, active: false, terminal: true },
  ];
  for (const { name, pod: value, ...want } of cases) {
    test(name, () => expect({ ready: isPodReady(value), active: isPodActive(value), terminal: isPodTerminal(value) }).toEqual(want));
  }
  test('available after minReadySeconds', () => {
    const ready = pod('Running', 'True');
    expect([0, 10, 11].map((seconds) => isPodAvailable(ready, seconds, nowMs))).toEqual([true, true, false]);
    expect(podAvailableInMs(ready, 30, nowMs)).toBe(20_000);
    expect(podAvailableInMs(pod('Running', 'False'), 0, nowMs)).toBeUndefined();
  });
});

test('controller references', () => {
  const meta = { namespace: 'ns', creationTimestamp: '', resourceVersion: '' };
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { ...meta, name: 'rs', uid: 'u' } };
  const reference = newControllerRef(owner, { group: 'apps', version: 'v1', kind: 'ReplicaSet' });
  expect(reference).toEqual({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    name: 'rs',
    uid: 'u',
    controller: true,
    blockOwnerDeletion: true,
  });
  const child = { metadata: { ...meta, name: 'p', uid: 'p', ownerReferences: [{ ...reference, controller: false, uid: 'x' }, reference] } };
  expect(controllerRef(child)).toBe(reference);
  expect(isControlledBy(child, owner)).toBe(true);
  expect(isControlledBy(child, { metadata: { ...owner.metadata, uid: 'new' } })).toBe(false);
  expect([byControllerUid(child), byControllerUid(owner)]).toEqual(['u', '']);
});

describe('retryOnConflict', () => {
  const attempt = async (conflicts: number, error: Error = newConflict(configMaps, 'a', 'modified')) => {
    const clock = newVirtualClock();
    let calls = 0;
    const outcome = retryOnConflict(
      async () => {
        calls += 1;
        if (calls <= conflicts) throw error;
        return calls;
      },
      { clock },
    ).catch((thrown: unknown) => thrown);
    return clock.runFor(outcome);
  };
  test('tries five times', async () => {
    expect(await attempt(4)).toBe(5);
    expect(String(await attempt(5))).toContain('modified');
  });
  test('other errors pass at once', async () => expect(String(await attempt(1, new Error('other')))).toContain('other'));
});

describe('waitFor', () => {
  const setup = () => {
    const server = newScriptedServer(newSeededRandom(1));
    const clock = newVirtualClock();
    const client = newClient(server.transport);
    const wait = (predicate: Parameters<typeof waitFor>[3], timeoutMs?: number) =>
      waitFor(client, configMaps, { namespace: 'default', name: 'a' }, predicate, {
        clock,
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      });
    return { server, clock, wait };
  };
  test('what holds already, what comes, and what goes', async () => {
    const { server, clock, wait } = setup();
    server.put('a');
    expect((await clock.runFor(wait((object) => object !== undefined)))?.metadata.name).toBe('a');
    const gone = wait((object) => object === undefined);
    await clock.advance(10);
    server.remove('a');
    expect(await clock.runFor(gone)).toBeUndefined();
    const comes = wait((object) => object?.metadata.labels?.['ready'] === 'yes');
    await clock.advance(10);
    server.put('a');
    server.breakWatches();
    await clock.advance(0);
    server.put('a', { labels: { ready: 'yes' } });
    expect((await clock.runFor(comes))?.metadata.labels).toEqual({ ready: 'yes' });
  });
  test('survives an expired watch', async () => {
    const { server, clock, wait } = setup();
    const comes = wait((object) => object !== undefined);
    await clock.advance(10);
    server.put('b');
    server.compact();
    server.put('a');
    expect((await clock.runFor(comes))?.metadata.name).toBe('a');
  });
  test('times out', async () => {
    const { clock, wait } = setup();
    const outcome = wait((object) => object !== undefined, 1000).catch((error: unknown) => error);
    expect(String(await clock.runFor(outcome))).toContain('timed out after 1000 ms waiting for configmaps "a"');
  });
});
