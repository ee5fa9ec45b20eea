import { pods, replicaSets, services } from '@orrery/api';
import type { KubeObject, NamespacedName, OwnerReference } from '@orrery/apimachinery';
import { deferred, newVirtualClock } from '@orrery/base';
import { newInformerFactory, newItemRateLimiter } from '@orrery/client';
import { newMetricsRegistry } from '@orrery/component';
import { describe, expect, test } from 'vitest';
import { type Controller, type ControllerOptions, newController } from './controller.ts';
import { newControllerMetrics } from './metrics.ts';
import { type Result, terminalError } from './reconciler.ts';
import { watchOf } from './sources.ts';
import { newObjectSource } from './testing/object-source.ts';

const make = (kind: string, name: string, owner?: OwnerReference): KubeObject => ({
  apiVersion: 'v1',
  kind,
  metadata: {
    name,
    namespace: 'ns',
    uid: `uid-${name}`,
    creationTimestamp: '2026-01-01T00:00:00Z',
    resourceVersion: '',
    ...(owner === undefined ? {} : { ownerReferences: [owner] }),
  },
});

const rsOwner = (name: string): OwnerReference => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  name,
  uid: `uid-${name}`,
  controller: true,
});

function setup(
  reconcile: (key: NamespacedName, signal: AbortSignal) => Promise<Result>,
  more: Partial<ControllerOptions<KubeObject>> = {},
) {
  const source = newObjectSource();
  const clock = newVirtualClock();
  const informerFactory = newInformerFactory(source.client, { clock });
  const controller: Controller = newController<KubeObject>({
    name: 'test-controller',
    clock,
    informerFactory,
    primary: replicaSets,
    owns: [pods],
    rateLimiter: newItemRateLimiter(),
    reconciler: { reconcile },
    ...more,
  });
  const stop = new AbortController();
  const start = () => controller.run(stop.signal);
  return { source, clock, controller, start, stop };
}

describe('controller', () => {
  test('reconciles what is there, then what changes, and owners of what they manage', async () => {
    const seen: string[] = [];
    const { source, clock, start, stop } = setup(async ({ namespace, name }) => {
      seen.push(`${namespace}/${name}`);
      return {};
    });
    source.put(replicaSets, make('ReplicaSet', 'one'));
    const running = start();
    await clock.advance(0);
    expect(seen).toEqual(['ns/one']);
    source.put(pods, make('Pod', 'p', rsOwner('one')));
    await clock.advance(0);
    source.put(pods, make('Pod', 'p', rsOwner('two')));
    await clock.advance(0);
    source.put(pods, make('Pod', 'stranger', { ...rsOwner('one'), kind: 'Job', apiVersion: 'batch/v1' }));
    await clock.advance(0);
    expect(seen).toEqual(['ns/one', 'ns/one', 'ns/one', 'ns/two']);
    source.remove(replicaSets, 'one');
    await clock.advance(0);
    expect(seen.at(-1)).toBe('ns/one');
    stop.abort();
    await running;
    expect(clock.pendingTimers).toBe(0);
  });

  test('waits for every informer before the first reconcile', async () => {
    const seen: string[] = [];
    const { source, clock, start, stop } = setup(async ({ name }) => {
      seen.push(name);
      return {};
    });
    source.put(replicaSets, make('ReplicaSet', 'one'));
    source.held = true;
    const running = start();
    await clock.advance(1000);
    expect(seen).toEqual([]);
    stop.abort();
    await running;
  });

  test('never two workers on one key; changes meanwhile are seen by the next pass', async () => {
    let inWork = 0;
    let most = 0;
    let passes = 0;
    const gate = deferred<void>();
    const { source, clock, start, stop } = setup(
      async () => {
        passes += 1;
        inWork += 1;
        most = Math.max(most, inWork);
        if (passes === 1) await gate.promise;
        inWork -= 1;
        return {};
      },
      { workers: 4 },
    );
    source.put(replicaSets, make('ReplicaSet', 'one'));
    const running = start();
    await clock.advance(0);
    for (let i = 0; i < 5; i += 1) source.put(replicaSets, make('ReplicaSet', 'one'));
    await clock.advance(0);
    expect(passes).toBe(1);
    gate.resolve();
    await clock.advance(0);
    expect([passes, most]).toEqual([2, 1]);
    stop.abort();
    await running;
  });

  test('backs off on errors, thrown early or late; a terminal one waits for a change', async () => {
    const at: number[] = [];
    let mode: 'sync' | 'async' | 'terminal' = 'sync';
    const registry = newMetricsRegistry();
    const { source, clock, start, stop } = setup(
      (() => {
        at.push(clock.monotonicMs());
        if (mode === 'sync') throw new Error('early');
        return Promise.reject(mode === 'async' ? new Error('late') : terminalError('hopeless'));
      }) as () => Promise<Result>,
      { metrics: newControllerMetrics(registry) },
    );
    source.put(replicaSets, make('ReplicaSet', 'one'));
    const running = start();
    await clock.advance(6);
    mode = 'async';
    await clock.advance(30);
    mode = 'terminal';
    await clock.advance(10_000);
    expect(at).toEqual([0, 5, 15, 35, 75]);
    source.put(replicaSets, make('ReplicaSet', 'one'));
    await clock.advance(0);
    expect(at).toHaveLength(6);
    expect(registry.text()).toContain('controller_runtime_reconcile_total{controller="test-controller",result="error"} 6');
    expect(registry.text()).toContain('workqueue_adds_total{name="test-controller"}');
    stop.abort();
    await running;
  });

  test('requeueAfterMs calls again, and success ends the backoff', async () => {
    const at: number[] = [];
    const { source, clock, start, stop } = setup(async () => {
      at.push(clock.monotonicMs());
      return at.length < 3 ? { requeueAfterMs: 100 } : {};
    });
    source.put(replicaSets, make('ReplicaSet', 'one'));
    const running = start();
    await clock.advance(1000);
    expect(at).toEqual([0, 100, 200]);
    stop.abort();
    await running;
  });

  test('watches map to keys; predicates filter', async () => {
    const seen: string[] = [];
    const watch = watchOf<KubeObject>({
      resource: services,
      mapToKeys: ({ metadata }) => [{ namespace: 'ns', name: `for-${metadata.name}` }],
      predicate: { onUpdate: () => false },
    });
    const { source, clock, start, stop } = setup(
      async ({ name }) => {
        seen.push(name);
        return {};
      },
      { watches: [watch], predicate: { onAdd: ({ metadata }) => metadata.name !== 'ignored' } },
    );
    source.put(replicaSets, make('ReplicaSet', 'ignored'));
    const running = start();
    await clock.advance(0);
    source.put(services, make('Service', 's'));
    await clock.advance(0);
    source.put(services, make('Service', 's'));
    await clock.advance(0);
    expect(seen).toEqual(['for-s']);
    stop.abort();
    await running;
  });

  test('stopping aborts work in progress and leaves nothing; it can be run again', async () => {
    let aborts = 0;
    const { source, clock, controller, start, stop } = setup(
      (_key, signal) =>
        new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => {
            aborts += 1;
            reject(signal.reason);
          }),
        ),
    );
    source.put(replicaSets, make('ReplicaSet', 'one'));
    const running = start();
    await clock.advance(0);
    stop.abort();
    await running;
    expect(aborts).toBe(1);
    const again = new AbortController();
    const second = controller.run(again.signal);
    await clock.advance(0);
    again.abort();
    await second;
    expect(aborts).toBe(2);
    expect(clock.pendingTimers).toBe(0);
  });
});
