import { newVirtualClock } from '@orrery/base';
import { describe, expect, test } from 'vitest';
import { podInfoOf } from '../cache/pod-info.ts';
import { action, type ClusterEventWithHint } from '../framework/cluster-event.ts';
import { newPrioritySort } from '../plugins/priority-sort/priority-sort.ts';
import { testPod } from '../testing/scripted-cluster.ts';
import { type QueuedPod, SchedulingQueue } from './scheduling-queue.ts';

const info = (name: string, priority = 0, gates: string[] = []) =>
  podInfoOf(
    testPod(name, { spec: { priority, ...(gates.length === 0 ? {} : { schedulingGates: gates.map((gate) => ({ name: gate })) }) } }),
  );

function setUp() {
  const clock = newVirtualClock();
  const order = newPrioritySort();
  const hints: ReadonlyMap<string, readonly ClusterEventWithHint[]> = new Map<string, readonly ClusterEventWithHint[]>([
    [
      'Nodes',
      [{ resource: 'Node', actions: action.add, hint: (_pod, _old, node) => (node as { good?: boolean } | undefined)?.good === true }],
    ],
    ['Pods', [{ resource: 'AssignedPod', actions: action.delete }]],
    ['Gate', [{ resource: 'TargetPod', actions: action.updatePodGatesEliminated }]],
  ]);
  const queue = new SchedulingQueue({
    clock,
    compare: (a, b) => order.compare?.(a, b) ?? 0,
    gate: ({ pod }) => (pod.spec.schedulingGates === undefined ? undefined : 'Gate'),
    hints: () => hints,
  });
  const fail = (...plugins: string[]): QueuedPod => {
    const pod = queue.pop();
    if (pod === undefined) throw new Error('nothing to pop');
    queue.requeue(pod, new Set(plugins));
    return pod;
  };
  return { clock, queue, fail };
}

describe('scheduling queue', () => {
  test('priority first, then whoever came first', async () => {
    const { clock, queue } = setUp();
    queue.add(info('first'));
    await clock.advance(1);
    queue.add(info('second'));
    queue.add(info('third'));
    queue.add(info('high', 5));
    expect([1, 2, 3, 4, 5].map(() => queue.pop()?.info.pod.metadata.name)).toEqual(['high', 'first', 'second', 'third', undefined]);
  });

  test('errors are tried again after a backoff that doubles up to ten seconds', async () => {
    const { clock, queue, fail } = setUp();
    queue.add(info('a'));
    for (const seconds of [1, 2, 4, 8, 10, 10]) {
      fail();
      await clock.advance(seconds * 1000 - 1);
      expect(queue.sizes).toMatchObject({ active: 0, backoff: 1 });
      await clock.advance(1);
      expect(queue.sizes).toMatchObject({ active: 1, backoff: 0 });
    }
  });

  test('only events that may help wake a pod', async () => {
    const { clock, queue, fail } = setUp();
    queue.add(info('a'));
    fail('Nodes');
    await clock.advance(60_000);
    queue.move({ resource: 'AssignedPod', actions: action.delete }, {}, undefined);
    queue.move({ resource: 'Node', actions: action.delete }, {}, undefined);
    queue.move({ resource: 'Node', actions: action.add }, undefined, { good: false });
    expect(queue.sizes).toMatchObject({ active: 0, unschedulable: 1 });
    queue.move({ resource: 'Node', actions: action.add }, undefined, { good: true });
    expect(queue.sizes).toMatchObject({ active: 1, unschedulable: 0 });
  });

  test('a pod woken early waits for the end of its backoff', async () => {
    const { clock, queue, fail } = setUp();
    queue.add(info('a'));
    fail('Pods');
    queue.move({ resource: 'AssignedPod', actions: action.delete }, {}, undefined);
    expect(queue.sizes).toMatchObject({ active: 0, backoff: 1 });
    await clock.advance(1000);
    expect(queue.sizes).toMatchObject({ active: 1, backoff: 0 });
  });

  test('an event during the attempt is not missed', () => {
    const { queue } = setUp();
    queue.add(info('a'));
    const pod = queue.pop() as QueuedPod;
    queue.move({ resource: 'AssignedPod', actions: action.delete }, {}, undefined);
    queue.requeue(pod, new Set(['Pods']));
    expect(queue.sizes).toMatchObject({ backoff: 1, unschedulable: 0 });
  });

  test('forgotten pods are tried again after five minutes', async () => {
    const { clock, queue, fail } = setUp();
    const stop = new AbortController();
    const running = queue.run(stop.signal);
    queue.add(info('a'));
    fail('Pods');
    await clock.advance(299_000);
    expect(queue.sizes).toMatchObject({ active: 0, unschedulable: 1 });
    await clock.advance(31_000);
    expect(queue.sizes).toMatchObject({ active: 1, unschedulable: 0 });
    stop.abort();
    await running;
  });

  test('gated pods wait for their gates alone', () => {
    const { queue } = setUp();
    queue.add(info('a', 0, ['wait']));
    expect(queue.sizes).toMatchObject({ active: 0, gated: 1 });
    queue.move({ resource: 'AssignedPod', actions: action.delete }, {}, undefined);
    queue.flush();
    expect(queue.sizes).toMatchObject({ active: 0, gated: 1 });
    queue.update(info('a'), { resource: 'TargetPod', actions: action.updatePodGatesEliminated });
    expect(queue.sizes).toMatchObject({ active: 1, gated: 0 });
  });

  test('deleted pods are gone from everywhere', () => {
    const { queue, fail } = setUp();
    for (const name of ['a', 'b', 'c']) queue.add(info(name));
    const failed = fail('Pods');
    const erred = fail();
    for (const name of ['a', 'b', 'c']) queue.delete(info(name).uid);
    expect(queue.sizes).toEqual({ active: 0, backoff: 0, unschedulable: 0, gated: 0 });
    queue.requeue(failed, new Set());
    queue.requeue(erred, new Set());
    expect(queue.sizes).toEqual({ active: 0, backoff: 0, unschedulable: 0, gated: 0 });
  });
});
