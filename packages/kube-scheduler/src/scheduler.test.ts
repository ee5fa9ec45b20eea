import type { Node, Pod } from '@orrery/api/core/v1';
import { newSeededRandom, newVirtualClock, nextTurn } from '@orrery/base';
import { newInformerFactory } from '@orrery/client';
import { newMetricsRegistry } from '@orrery/component';
import { describe, expect, test } from 'vitest';
import { newScheduler, type SchedulerOptions } from './scheduler.ts';
import { newScriptedCluster, type PodFields, testNode, testPod } from './testing/scripted-cluster.ts';

async function start(options: Partial<SchedulerOptions> = {}, nodes: readonly Node[] = [testNode('a')]) {
  const cluster = newScriptedCluster();
  for (const node of nodes) cluster.put('nodes', node);
  const clock = newVirtualClock();
  const told: { readonly name: string; readonly reason: string; readonly message: string }[] = [];
  const { create } = cluster.client;
  const client = {
    ...cluster.client,
    create: (async (resource: never, object: { involvedObject: { name: string }; reason: string; message: string }) => {
      told.push({ name: object.involvedObject.name, reason: object.reason, message: object.message });
      return create(resource, object as never);
    }) as unknown as typeof create,
  };
  const informers = newInformerFactory(client, { clock });
  const scheduler = newScheduler({ client, informers, clock, random: newSeededRandom(1), ...options });
  const stop = new AbortController();
  const running = Promise.all([informers.run(stop.signal), scheduler.run(stop.signal)]);
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn += 1) await nextTurn();
  };
  await settle();
  return {
    cluster,
    clock,
    told,
    settle,
    pod: (name: string) => cluster.get<Pod>('pods', `default/${name}`),
    async create(name: string, fields: PodFields = {}) {
      cluster.put('pods', testPod(name, fields));
      await settle();
    },
    async advance(ms: number) {
      await clock.advance(ms);
      await settle();
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

const cpu = (amount: string, fields: PodFields = {}): PodFields => ({ requests: { cpu: amount }, ...fields });
const scheduledCondition = (pod: Pod | undefined) => pod?.status.conditions?.find(({ type }) => type === 'PodScheduled');

describe('scheduler', () => {
  test('binds and tells', async () => {
    await using at = await start();
    await at.create('p');
    expect(at.pod('p')?.spec.nodeName).toBe('a');
    expect(at.told).toEqual([{ name: 'p', reason: 'Scheduled', message: 'Successfully assigned default/p to a' }]);
  });

  test('says why a pod fits nowhere', async () => {
    const tainted = testNode('b', { spec: { taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] } });
    await using at = await start({}, [testNode('a'), tainted, { ...tainted, metadata: { ...tainted.metadata, name: 'c', uid: 'c' } }]);
    await at.create('p', cpu('5'));
    const message =
      '0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint(s). ' +
      'preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.';
    expect(at.told).toEqual([{ name: 'p', reason: 'FailedScheduling', message }]);
    expect(scheduledCondition(at.pod('p'))).toMatchObject({ status: 'False', reason: 'Unschedulable', message });
  });

  test('without nodes', async () => {
    await using at = await start({}, []);
    await at.create('p');
    expect(at.told).toEqual([{ name: 'p', reason: 'FailedScheduling', message: 'no nodes available to schedule pods' }]);
    at.cluster.put('nodes', testNode('late'));
    await at.settle();
    await at.advance(1000);
    expect(at.pod('p')?.spec.nodeName).toBe('late');
  });

  test('a pod that ends makes room for one that waits', async () => {
    await using at = await start();
    await at.create('first', cpu('3'));
    await at.create('second', cpu('3'));
    expect(at.pod('second')?.spec.nodeName).toBeUndefined();
    await at.advance(5000);
    const first = at.pod('first') as Pod;
    at.cluster.put('pods', { ...first, status: { ...first.status, phase: 'Succeeded' } } as Pod);
    await at.settle();
    expect(at.pod('second')?.spec.nodeName).toBe('a');
  });

  test('leaves pods of other schedulers alone, and has several profiles', async () => {
    const profiles = [{}, { schedulerName: 'packed', pluginConfig: { NodeResourcesFit: { scoringStrategy: { type: 'MostAllocated' } } } }];
    await using at = await start({ config: { profiles } }, [testNode('a'), testNode('b')]);
    await at.create('one', cpu('1'));
    const used = at.pod('one')?.spec.nodeName;
    await at.create(
      'packed',
      cpu('1', { spec: { schedulerName: 'packed', containers: [{ name: 'c', resources: { requests: { cpu: '1' } } }] } }),
    );
    await at.create('foreign', { spec: { schedulerName: 'foreign' } });
    expect(at.pod('packed')?.spec.nodeName).toBe(used);
    expect(at.pod('foreign')?.spec.nodeName).toBeUndefined();
  });

  test('a binding that fails is tried again after backoff, and its room is free meanwhile', async () => {
    await using at = await start();
    let failures = 1;
    at.cluster.onBinding = (pod) => {
      if (pod === 'default/p' && failures-- > 0) throw new Error('no connection');
    };
    await at.create('p', cpu('3'));
    expect(at.told).toEqual([{ name: 'p', reason: 'FailedScheduling', message: 'no connection' }]);
    expect(scheduledCondition(at.pod('p'))).toMatchObject({ reason: 'SchedulerError' });
    await at.create('q', cpu('1'));
    expect(at.pod('q')?.spec.nodeName).toBe('a');
    await at.advance(1000);
    expect(at.pod('p')?.spec.nodeName).toBe('a');
  });

  test('preempts the least important pods that suffice, and takes their place', async () => {
    await using at = await start();
    const filler = (priority: number, amount: string): PodFields =>
      cpu(amount, { spec: { priority, containers: [{ name: 'c', resources: { requests: { cpu: amount } } }] } });
    await at.create('low', filler(1, '2'));
    await at.create('mid', filler(2, '2'));
    await at.create('high', filler(10, '2'));
    expect(at.pod('low')).toBeUndefined();
    expect(at.pod('mid')).toBeDefined();
    expect(at.pod('high')?.status.nominatedNodeName).toBe('a');
    expect(at.told.find(({ reason }) => reason === 'Preempted')).toEqual({
      name: 'low',
      reason: 'Preempted',
      message: 'Preempted by pod pod-default-high on node a',
    });
    expect(at.told.find(({ name, reason }) => name === 'high' && reason === 'FailedScheduling')?.message).toBe(
      '0/1 nodes are available: 1 Insufficient cpu.',
    );
    // The room is kept for it: less important pods must not take it.
    await at.create('thief', filler(0, '1'));
    expect(at.pod('thief')?.spec.nodeName).toBeUndefined();
    await at.advance(1000);
    expect(at.pod('high')?.spec.nodeName).toBe('a');
  });

  test('a pod that must not preempt says so', async () => {
    await using at = await start();
    await at.create('low', cpu('4'));
    await at.create('meek', {
      spec: { priority: 5, preemptionPolicy: 'Never', containers: [{ name: 'c', resources: { requests: { cpu: '1' } } }] },
    });
    expect(at.pod('low')).toBeDefined();
    expect(at.told.at(-1)?.message).toBe(
      '0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never.',
    );
  });

  test('never puts more on a node than it has', async () => {
    const random = newSeededRandom(7);
    await using at = await start(
      { metrics: newMetricsRegistry() },
      Array.from({ length: 5 }, (_, id) => testNode(`n${id}`)),
    );
    at.cluster.onBinding = () => {
      if (random.integer(10) === 0) throw new Error('lost');
    };
    for (let id = 0; id < 60; id += 1) at.cluster.put('pods', testPod(`p${id}`, cpu(`${100 + random.integer(900)}m`)));
    for (let turn = 0; turn < 30; turn += 1) {
      await at.advance(1000);
      const used = new Map<string, number>();
      for (const { spec } of at.cluster.list<Pod>('pods')) {
        if (!spec.nodeName) continue;
        used.set(
          spec.nodeName,
          (used.get(spec.nodeName) ?? 0) + Number.parseInt(spec.containers[0]?.resources?.requests?.['cpu'] ?? '0', 10),
        );
      }
      for (const amount of used.values()) expect(amount).toBeLessThanOrEqual(4000);
      if (turn % 5 === 4) at.cluster.remove('pods', `default/p${random.integer(60)}`);
    }
  });
});
