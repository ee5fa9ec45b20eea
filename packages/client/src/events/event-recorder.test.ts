import { events } from '@orrery/api';
import type { Event } from '@orrery/api/core/v1';
import { newForbidden, newNotFound, StatusError } from '@orrery/apimachinery';
import { newSeededRandom, newVirtualClock } from '@orrery/base';
import { describe, expect, test } from 'vitest';
import type { Client } from '../client.ts';
import { ConnectionError } from '../http/connection.ts';
import { newEventRecorder } from './new-event-recorder.ts';

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'ns', uid: 'u1', creationTimestamp: '', resourceVersion: '7' },
};

function setup() {
  const clock = newVirtualClock();
  const stored = new Map<string, Event>();
  const calls: string[] = [];
  let failure: Error | undefined;
  const client = {
    async create(_resource: unknown, event: Event) {
      if (failure !== undefined) throw failure;
      calls.push(`create ${event.message}`);
      stored.set(event.metadata.name, event);
      return event;
    },
    async patch(_resource: unknown, key: { readonly name: string }, _type: string, patch: Partial<Event>) {
      if (failure !== undefined) throw failure;
      const old = stored.get(key.name);
      if (old === undefined) throw newNotFound(events, key.name);
      calls.push(`patch ${patch.count} ${patch.message}`);
      stored.set(key.name, { ...old, ...patch });
      return old;
    },
  } as unknown as Pick<Client, 'create' | 'patch'>;
  const recorder = newEventRecorder({ client, clock, random: newSeededRandom(1), component: 'kubelet', host: 'node-1' });
  return {
    clock,
    recorder,
    stored,
    calls,
    all: () => [...stored.values()],
    fail: (error: Error | undefined) => {
      failure = error;
    },
  };
}

describe('event recorder', () => {
  test('an event has the form of the core API', async () => {
    const { recorder, all } = setup();
    recorder.event(pod, 'Normal', 'Started', 'Started container');
    await recorder.flush();
    const [event] = all();
    expect(event?.metadata.name).toMatch(/^web\.[0-9a-f]{16}$/);
    expect(event).toMatchObject({
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { namespace: 'ns' },
      involvedObject: { kind: 'Pod', namespace: 'ns', name: 'web', uid: 'u1', apiVersion: 'v1', resourceVersion: '7' },
      type: 'Normal',
      reason: 'Started',
      message: 'Started container',
      source: { component: 'kubelet', host: 'node-1' },
      reportingComponent: 'kubelet',
      reportingInstance: 'node-1',
      firstTimestamp: '2026-01-01T00:00:00Z',
      lastTimestamp: '2026-01-01T00:00:00Z',
      count: 1,
    });
    await recorder.close();
  });

  test('about an object without a namespace it goes to default', async () => {
    const { recorder, all } = setup();
    recorder.event({ apiVersion: 'v1', kind: 'Node', name: 'n', uid: 'n' }, 'Warning', 'Rebooted', 'again');
    await recorder.flush();
    expect(all()[0]?.metadata.namespace).toBe('default');
    expect(all()[0]?.involvedObject).toEqual({ apiVersion: 'v1', kind: 'Node', name: 'n', uid: 'n' });
    await recorder.close();
  });

  test('the same again is counted, under the same name', async () => {
    const { clock, recorder, calls, all } = setup();
    for (let i = 0; i < 3; i += 1) {
      recorder.event(pod, 'Warning', 'BackOff', 'Back-off restarting');
      await recorder.flush();
      await clock.advance(10_000);
    }
    expect(calls).toEqual(['create Back-off restarting', 'patch 2 Back-off restarting', 'patch 3 Back-off restarting']);
    expect(all()).toHaveLength(1);
    expect(all()[0]).toMatchObject({ count: 3, firstTimestamp: '2026-01-01T00:00:00Z', lastTimestamp: '2026-01-01T00:00:20Z' });
    await recorder.close();
  });

  test('a series whose event has expired goes on under a new name', async () => {
    const { recorder, stored, calls, all } = setup();
    recorder.event(pod, 'Warning', 'BackOff', 'm');
    await recorder.flush();
    stored.clear();
    recorder.event(pod, 'Warning', 'BackOff', 'm');
    recorder.event(pod, 'Warning', 'BackOff', 'm');
    await recorder.flush();
    expect(calls.slice(0, 2)).toEqual(['create m', 'create m']);
    expect(all().at(-1)?.count).toBeGreaterThanOrEqual(2);
    await recorder.close();
  });

  test('from the tenth message on, similar events are told as one', async () => {
    const { recorder, calls, all } = setup();
    for (let i = 1; i <= 12; i += 1) recorder.event(pod, 'Normal', 'Pulling', `image ${i}`);
    await recorder.flush();
    expect(all()).toHaveLength(10);
    expect(calls.slice(9)).toEqual([
      'create (combined from similar events): image 10',
      'patch 2 (combined from similar events): image 11',
      'patch 3 (combined from similar events): image 12',
    ]);
    await recorder.close();
  });

  test('a flood about one object is cut after 25, then one every five minutes; others are not', async () => {
    const { clock, recorder, calls } = setup();
    for (let i = 0; i < 100; i += 1) recorder.event(pod, 'Normal', `Reason${i}`, 'm');
    await recorder.flush();
    expect(calls).toHaveLength(25);
    recorder.event({ ...pod, metadata: { ...pod.metadata, name: 'other', uid: 'u2' } }, 'Normal', 'Reason', 'm');
    await recorder.flush();
    expect(calls).toHaveLength(26);
    await clock.advance(300_000);
    recorder.event(pod, 'Normal', 'Late', 'm');
    recorder.event(pod, 'Normal', 'TooMuch', 'm');
    await recorder.flush();
    expect(calls).toHaveLength(27);
    await recorder.close();
  });

  test('waits for a server that is away, not for one that refuses', async () => {
    const { clock, recorder, calls, fail } = setup();
    const away = new ConnectionError('ECONNREFUSED', { cause: undefined, stage: 'connecting' });
    fail(new StatusError('ServiceUnavailable', 'away', undefined, { cause: away }));
    recorder.event(pod, 'Normal', 'One', 'm');
    await clock.advance(25_000);
    fail(undefined);
    await clock.advance(10_000);
    expect(calls).toEqual(['create m']);
    fail(newForbidden(events, '', 'the namespace is being terminated'));
    recorder.event(pod, 'Normal', 'Two', 'm');
    await recorder.flush();
    expect(calls).toHaveLength(1);
    await recorder.close();
    expect(clock.pendingTimers).toBe(0);
  });

  test('long messages are cut at a whole character', async () => {
    const { recorder, all } = setup();
    recorder.event(pod, 'Normal', 'Long', '😀'.repeat(400));
    await recorder.flush();
    const message = all()[0]?.message ?? '';
    expect(Buffer.byteLength(message)).toBeLessThanOrEqual(1024);
    expect(message).toBe(`${'😀'.repeat(255)}...`);
    await recorder.close();
  });

  test('close gives up what waits', async () => {
    const { clock, recorder, fail } = setup();
    const away = new ConnectionError('ECONNREFUSED', { cause: undefined, stage: 'connecting' });
    fail(new StatusError('ServiceUnavailable', 'away', undefined, { cause: away }));
    recorder.event(pod, 'Normal', 'One', 'm');
    await clock.advance(0);
    await recorder.close();
    recorder.event(pod, 'Normal', 'Two', 'm');
    await recorder.flush();
    expect(clock.pendingTimers).toBe(0);
  });
});
