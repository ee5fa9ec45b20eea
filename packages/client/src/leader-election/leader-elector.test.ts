import { leases } from '@orrery/api';
import type { Lease } from '@orrery/api/coordination/v1';
import { newAlreadyExists, newConflict, newNotFound, StatusError } from '@orrery/apimachinery';
import { aborted, newSeededRandom, newVirtualClock, type VirtualClock } from '@orrery/base';
import { describe, expect, test } from 'vitest';
import type { Client } from '../client.ts';
import { newLeaderElector } from './leader-elector.ts';

/** One Lease on a server that can be cut off. */
function newLeaseServer() {
  let lease: Lease | undefined;
  let revision = 0;
  const cutOff = new Set<string>();
  const writes: string[] = [];
  const store = (next: Lease): Lease => {
    revision += 1;
    lease = { ...next, metadata: { ...next.metadata, resourceVersion: String(revision) } };
    return lease;
  };
  const clientOf = (name: string): Pick<Client, 'get' | 'create' | 'update'> => {
    const reach = (): void => {
      if (cutOff.has(name)) throw new StatusError('ServiceUnavailable', 'cut off');
    };
    const calls = {
      async get() {
        reach();
        if (lease === undefined) throw newNotFound(leases, 'l');
        return lease;
      },
      async create(_resource: unknown, object: Lease) {
        reach();
        if (lease !== undefined) throw newAlreadyExists(leases, 'l');
        writes.push(`${name} creates`);
        return store(object);
      },
      async update(_resource: unknown, object: Lease) {
        reach();
        if (lease?.metadata.resourceVersion !== object.metadata.resourceVersion) throw newConflict(leases, 'l', 'modified');
        writes.push(`${name} updates`);
        return store(object);
      },
    };
    return calls as unknown as Pick<Client, 'get' | 'create' | 'update'>;
  };
  return { clientOf, cutOff, writes, spec: () => lease?.spec };
}

function candidate(server: ReturnType<typeof newLeaseServer>, clock: VirtualClock, identity: string, seed?: number) {
  const stop = new AbortController();
  const log: string[] = [];
  const elector = newLeaderElector({
    client: server.clientOf(identity),
    lease: { namespace: 'kube-system', name: 'l' },
    identity,
    clock,
    ...(seed === undefined ? {} : { random: newSeededRandom(seed) }),
    onNewLeader: (leader) => log.push(`saw ${leader}`),
    recorder: { event: (_on, _type, reason, message) => void log.push(`${reason}: ${message}`) },
  });
  let leading = false;
  const run = elector.run(stop.signal, async (signal) => {
    leading = true;
    await aborted(signal);
    leading = false;
  });
  const outcome = run.then(
    () => 'ended',
    (error: Error) => error.message,
  );
  return { elector, stop, log, outcome, isLeading: () => leading };
}

describe('leader election', () => {
  test('the first candidate leads and renews; the second waits until the lease is released', async () => {
    const clock = newVirtualClock();
    const server = newLeaseServer();
    const a = candidate(server, clock, 'a');
    await clock.advance(0);
    const b = candidate(server, clock, 'b');
    await clock.advance(60_000);
    expect([a.isLeading(), b.isLeading()]).toEqual([true, false]);
    expect(server.spec()).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions: 0 });
    expect(server.spec()?.renewTime).toBe('2026-01-01T00:01:00.000000Z');
    expect(server.spec()?.acquireTime).toBe('2026-01-01T00:00:00.000000Z');
    expect(b.elector.leader).toBe('a');
    a.stop.abort();
    await clock.advance(0);
    expect(await a.outcome).toBe('ended');
    expect(server.spec()?.holderIdentity).toBeUndefined();
    await clock.advance(2000);
    expect(b.isLeading()).toBe(true);
    expect(server.spec()).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
    expect(a.log).toEqual(['saw a', 'LeaderElection: a became leader', 'LeaderElection: a stopped leading']);
    expect(b.log).toEqual(['saw a', 'saw b', 'LeaderElection: b became leader']);
    b.stop.abort();
    await clock.advance(0);
    await b.outcome;
    expect(clock.pendingTimers).toBe(0);
  });

  test('a leader that is cut off stops before another takes over', async () => {
    const clock = newVirtualClock();
    const server = newLeaseServer();
    const a = candidate(server, clock, 'a');
    await clock.advance(0);
    const b = candidate(server, clock, 'b');
    await clock.advance(30_000);
    server.cutOff.add('a');
    const cutMs = clock.monotonicMs();
    let bothMs = 0;
    await clock.runUntil(() => {
      if (a.isLeading() && b.isLeading()) bothMs = clock.monotonicMs();
      return b.isLeading();
    });
    expect(bothMs).toBe(0);
    expect(clock.monotonicMs() - cutMs).toBeLessThanOrEqual(17_000);
    expect(await a.outcome).toBe('leadership of kube-system/l was lost');
    b.stop.abort();
    await clock.advance(0);
  });

  test('a short outage costs nothing', async () => {
    const clock = newVirtualClock();
    const server = newLeaseServer();
    const a = candidate(server, clock, 'a');
    await clock.advance(30_000);
    server.cutOff.add('a');
    await clock.advance(9_000);
    server.cutOff.delete('a');
    await clock.advance(30_000);
    expect(a.isLeading()).toBe(true);
    a.stop.abort();
    await clock.advance(0);
  });

  test('aborted before it is elected: never leads', async () => {
    const clock = newVirtualClock();
    const server = newLeaseServer();
    server.cutOff.add('a');
    const a = candidate(server, clock, 'a');
    await clock.advance(10_000);
    a.stop.abort();
    await clock.advance(0);
    expect(await a.outcome).toBe('ended');
    expect(server.writes).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  for (let seed = 1; seed <= 15; seed += 1) {
    test(`seed ${seed}: never two leaders among five, whoever is cut off`, async () => {
      const clock = newVirtualClock();
      const random = newSeededRandom(seed);
      const server = newLeaseServer();
      const all = ['a', 'b', 'c', 'd', 'e'].map((name, i) => ({ name, ...candidate(server, clock, name, seed * 10 + i) }));
      for (let step = 0; step < 200; step += 1) {
        await clock.advance(random.integer(4000));
        const name = all[random.integer(all.length)]?.name ?? '';
        if (random.float() < 0.3) server.cutOff.add(name);
        else server.cutOff.delete(name);
        expect(all.filter(({ isLeading }) => isLeading()).length).toBeLessThanOrEqual(1);
      }
      for (const { stop } of all) stop.abort();
      await clock.advance(20_000);
      await Promise.all(all.map(({ outcome }) => outcome));
      expect(clock.pendingTimers).toBe(0);
    });
  }
});
