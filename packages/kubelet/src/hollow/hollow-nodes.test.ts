import { pods } from '@orrery/api';
import type { Lease } from '@orrery/api/coordination/v1';
import type { Node, Pod } from '@orrery/api/core/v1';
import { newVirtualClock, nextTurn } from '@orrery/base';
import { newInformerFactory } from '@orrery/client';
import { expect, test } from 'vitest';
import { newMemoryApi } from '../testing/memory-api.ts';
import { newHollowNodes } from './hollow-nodes.ts';

test('hollow nodes are ready, renew their leases, and their pods run, end and go', async () => {
  const clock = newVirtualClock();
  const api = newMemoryApi(clock);
  const informers = newInformerFactory(api.client, { clock });
  const stop = new AbortController();
  const hollow = newHollowNodes({
    client: api.client,
    clock,
    pods: informers.informer(pods),
    names: Array.from({ length: 300 }, (_, index) => `n${index}`),
    lifetime: (pod) => (pod.metadata.name === 'brief' ? { afterMs: 5000, exitCode: 1 } : undefined),
  });
  const running = Promise.all([informers.run(stop.signal), hollow.run(stop.signal)]);
  await hollow.registered;
  expect(
    api.all<Node>('nodes').filter(({ status }) => status?.conditions?.some(({ type, status: s }) => type === 'Ready' && s === 'True'))
      .length,
  ).toBe(300);

  const create = (name: string, nodeName: string) =>
    api.client.create<Pod>(pods, { metadata: { name, namespace: 'd' }, spec: { nodeName, containers: [{ name: 'c', image: 'i' }] } });
  await Promise.all([create('long', 'n7'), create('brief', 'n8'), create('elsewhere', 'other')]);
  const phase = (name: string): string | undefined => api.get<Pod>('pods', name)?.status?.phase;
  const until = async (condition: () => boolean): Promise<void> => {
    for (let round = 0; round < 1000 && !condition(); round += 1) {
      for (let turn = 0; turn < 5; turn += 1) await nextTurn();
      await clock.advance(100);
    }
    expect(condition()).toBe(true);
  };
  await until(() => phase('long') === 'Running');
  expect(phase('elsewhere')).toBeUndefined();
  await until(() => phase('brief') === 'Failed');
  await api.client.delete(pods, { namespace: 'd', name: 'long' });
  await until(() => phase('long') === undefined && api.get('pods', 'long') === undefined);

  await clock.advance(30_000);
  const oldestMs = Math.min(...api.all<Lease>('leases').map(({ spec }) => Date.parse(spec?.renewTime ?? '')));
  expect(api.all('leases').length).toBe(300);
  expect(clock.now() - oldestMs).toBeLessThan(15_000);
  stop.abort();
  await running;
});
