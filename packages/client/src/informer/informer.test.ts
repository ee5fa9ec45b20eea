import { configMaps } from '@orrery/api';
import { deepFreeze, type KubeObject, keyOf } from '@orrery/apimachinery';
import { type Clock, newSeededRandom, newVirtualClock, nextTurn, type VirtualClock } from '@orrery/base';
import { describe, expect, test } from 'vitest';
import { newClient } from '../new-client.ts';
import { newScriptedServer, type ScriptedServer } from '../testing/scripted-server.ts';
import type { Handler, Informer } from './informer.ts';
import { newInformerFactory } from './informer-factory.ts';

interface Bench {
  readonly server: ScriptedServer;
  readonly clock: VirtualClock;
  readonly informer: Informer<KubeObject>;
  readonly stop: () => Promise<void>;
}

/** A clock that moves whenever it is read: every slice of time is over at once. */
const restless = (clock: VirtualClock): Clock => {
  let extraMs = 0;
  const monotonicMs = (): number => {
    extraMs += 5;
    return clock.monotonicMs() + extraMs;
  };
  return { ...clock, isVirtual: false, monotonicMs };
};

function start(
  seed = 1,
  prepare: (server: ScriptedServer) => void = () => {},
  handlers: readonly Handler<KubeObject>[] = [],
  time: (clock: VirtualClock) => Clock = (clock) => clock,
): Bench {
  const random = newSeededRandom(seed);
  const server = newScriptedServer(random);
  prepare(server);
  const clock = newVirtualClock();
  const factory = newInformerFactory(newClient(server.transport), { clock: time(clock), random });
  const informer = factory.informer<KubeObject>(configMaps);
  for (const handler of handlers) informer.addHandler(handler);
  const controller = new AbortController();
  const running = factory.run(controller.signal);
  const stop = async () => {
    controller.abort();
    await running;
  };
  return { server, clock, informer, stop };
}

/** Checks the contract of `Handler` as it is told, and keeps what a handler can know. */
function newAuditor(lister: () => Informer<KubeObject>['lister']) {
  const known = new Map<string, KubeObject>();
  const log: string[] = [];
  const fail = (text: string): never => {
    throw new Error(text);
  };
  const problems: string[] = [];
  const audit = (check: () => void): void => {
    try {
      check();
    } catch (error) {
      problems.push(String(error));
    }
  };
  const handler: Handler<KubeObject> = {
    onAdd: (object) =>
      audit(() => {
        deepFreeze(object);
        log.push(`+${object.metadata.name}`);
        if (known.has(keyOf(object))) fail(`added twice: ${keyOf(object)}`);
        known.set(keyOf(object), object);
        if (lister().get(keyOf(object)) !== object) fail('the store is not at this add');
      }),
    onUpdate: (old, object) =>
      audit(() => {
        deepFreeze(object);
        log.push(`~${object.metadata.name}`);
        if (known.get(keyOf(object)) !== old) fail('old is not what was told before');
        if (old.metadata.uid !== object.metadata.uid) fail('an update across uids');
        if (old.metadata.resourceVersion === object.metadata.resourceVersion) fail('an update that changes nothing');
        known.set(keyOf(object), object);
        if (lister().get(keyOf(object)) !== object) fail('the store is not at this update');
      }),
    onDelete: (object, { finalStateUnknown }) =>
      audit(() => {
        log.push(`-${object.metadata.name}${finalStateUnknown ? '?' : ''}`);
        const last = known.get(keyOf(object));
        if (last === undefined) fail(`deleted, never added: ${keyOf(object)}`);
        if (last?.metadata.uid !== object.metadata.uid) fail('another object was deleted');
        if (finalStateUnknown && last !== object) fail('a missed deletion must show the last known state');
        known.delete(keyOf(object));
        if (lister().get(keyOf(object)) !== undefined) fail('the store still has it');
      }),
  };
  return { handler, known, log, problems };
}

const putTwo = (server: ScriptedServer): void => {
  server.put('a');
  server.put('b');
};

const stateOf = (objects: readonly KubeObject[]): Record<string, string> =>
  Object.fromEntries(objects.map((object) => [`${keyOf(object)} ${object.metadata.uid}`, object.metadata.resourceVersion]).sort());

describe('shared informer', () => {
  test('initial state, then changes, in order', async () => {
    let bench: Bench | undefined;
    const auditor = newAuditor(() => bench?.informer.lister as Informer<KubeObject>['lister']);
    bench = start(1, putTwo, [auditor.handler]);
    const { server, clock, informer } = bench;
    expect(informer.hasSynced()).toBe(false);
    await clock.advance(0);
    expect(informer.hasSynced()).toBe(true);
    server.put('c');
    server.put('a');
    server.remove('b');
    await clock.advance(0);
    expect(auditor.log).toEqual(['+a', '+b', '+c', '~a', '-b']);
    expect(auditor.problems).toEqual([]);
    expect(informer.resourceVersion).toBe(String(server.revision));
    await bench.stop();
    expect(clock.pendingTimers).toBe(0);
  });

  test('a deletion seen on the watch shows the final state; one that was missed says so', async () => {
    const seen: [string, string, boolean][] = [];
    const handler: Handler<KubeObject> = {
      onDelete: (object, info) => seen.push([object.metadata.name, object.metadata.resourceVersion, info.finalStateUnknown]),
    };
    const { server, clock, informer, stop } = start(1, putTwo, [handler]);
    await clock.advance(0);
    server.remove('a');
    await clock.advance(0);
    expect(seen).toEqual([['a', '4', false]]);
    server.faults = { refuse: 1 };
    server.breakWatches();
    await clock.advance(100);
    server.remove('b');
    server.compact();
    server.faults = {};
    await clock.advance(60_000);
    expect(seen[1]).toEqual(['b', '3', true]);
    expect(informer.lister.size).toBe(0);
    await stop();
  });

  test('replaced under its name: deleted, then added, never updated', async () => {
    const log: string[] = [];
    const handler: Handler<KubeObject> = {
      onAdd: (o) => log.push(`+${o.metadata.uid}`),
      onUpdate: () => log.push('~'),
      onDelete: (o, i) => log.push(`-${o.metadata.uid}${i.finalStateUnknown ? '?' : ''}`),
    };
    const { server, clock, stop } = start(1, (s) => s.put('a', { uid: 'one' }), [handler]);
    await clock.advance(0);
    server.faults = { refuse: 1 };
    server.breakWatches();
    server.put('a', { uid: 'two' });
    server.compact();
    server.faults = {};
    await clock.advance(60_000);
    expect(log).toEqual(['+one', '-one?', '+two']);
    await stop();
  });

  test('a handler that throws hurts nobody', async () => {
    const log: string[] = [];
    const bad: Handler<KubeObject> = {
      onAdd: () => {
        throw new Error('bad handler');
      },
    };
    const { clock, informer, stop } = start(1, (s) => s.put('a'), [bad, { onAdd: (o) => log.push(o.metadata.name) }]);
    await clock.advance(0);
    expect(log).toEqual(['a']);
    expect(informer.lister.size).toBe(1);
    await stop();
  });

  test('a late handler is told of everything at once; a removed one of nothing more', async () => {
    const { server, clock, informer, stop } = start(1, (s) => s.put('a'));
    await clock.advance(0);
    const log: string[] = [];
    const registration = informer.addHandler({ onAdd: (o, initial) => log.push(`${o.metadata.name} ${initial}`) });
    expect(log).toEqual(['a true']);
    server.put('b');
    await clock.advance(0);
    registration.remove();
    server.put('c');
    await clock.advance(0);
    expect(log).toEqual(['a true', 'b false']);
    await stop();
  });

  test('resumes from its revision when the watch ends, without a new list', async () => {
    const { server, clock, informer, stop } = start(1, (s) => s.put('a'));
    await clock.advance(0);
    server.breakWatches();
    server.put('b');
    await clock.advance(5000);
    expect(informer.lister.size).toBe(2);
    const resumed = server.requests.at(-1);
    expect(resumed?.options).toMatchObject({ resourceVersion: '2', allowWatchBookmarks: true });
    expect(resumed?.options?.sendInitialEvents).toBeUndefined();
    await stop();
  });

  test('a bookmark moves the revision, so that a compaction does not cost a relist', async () => {
    const { server, clock, informer, stop } = start(1, (s) => s.put('a'));
    await clock.advance(0);
    server.put('x');
    server.remove('x');
    server.bookmark();
    await clock.advance(0);
    expect(informer.resourceVersion).toBe(String(server.revision));
    server.compact();
    server.breakWatches();
    await clock.advance(5000);
    expect(server.requests.filter(({ options }) => options?.sendInitialEvents === true)).toHaveLength(1);
    await stop();
  });

  test('lists in pages where the server cannot stream the initial state', async () => {
    const { server, clock, informer, stop } = start(1, (s) => {
      s.refusesInitialEvents = true;
      for (let i = 0; i < 2500; i += 1) s.put(`o${i}`);
    });
    await clock.advance(10_000);
    expect(informer.lister.size).toBe(2500);
    expect(server.requests.filter(({ verb }) => verb === 'list')).toHaveLength(3);
    server.put('more');
    await clock.advance(0);
    expect(informer.lister.size).toBe(2501);
    await stop();
  });

  test('retries with backoff, not in a loop', async () => {
    const { server, clock, stop } = start(1, (s) => {
      s.faults = { refuse: 1 };
    });
    await clock.advance(300_000);
    expect(server.requests.length).toBeGreaterThan(5);
    expect(server.requests.length).toBeLessThan(25);
    await stop();
  });

  test('one informer for each resource and scope; it runs while one owner is left', async () => {
    const server = newScriptedServer(newSeededRandom(1));
    server.put('a');
    const clock = newVirtualClock();
    const factory = newInformerFactory(newClient(server.transport), { clock });
    const informer = factory.informer(configMaps);
    expect(factory.informer(configMaps)).toBe(informer);
    expect(factory.informer(configMaps, { namespace: 'x' })).not.toBe(informer);
    const [one, two] = [new AbortController(), new AbortController()];
    const runs = [informer.run(one.signal), informer.run(two.signal)];
    await clock.advance(0);
    one.abort();
    await runs[0];
    server.put('b');
    await clock.advance(0);
    expect(informer.lister.size).toBe(2);
    two.abort();
    await runs[1];
    server.put('c');
    await clock.advance(1000);
    expect(informer.lister.size).toBe(2);
    const three = new AbortController();
    const run = informer.run(three.signal);
    await clock.advance(0);
    expect(informer.lister.size).toBe(3);
    three.abort();
    await run;
  });

  test('waitForSync rejects with the reason of its signal', async () => {
    const { informer, stop } = start(1, (s) => {
      s.faults = { refuse: 1 };
    });
    await expect(informer.waitForSync(AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
    await stop();
  });
});

describe('under faults', () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    test(`seed ${seed}: the store converges and handlers hear a consistent story`, async () => {
      const random = newSeededRandom(seed * 7919);
      let bench: Bench | undefined;
      const auditor = newAuditor(() => bench?.informer.lister as Informer<KubeObject>['lister']);
      const prepare = (server: ScriptedServer) => {
        server.refusesInitialEvents = seed % 3 === 0;
        for (let i = 0; i < random.integer(30); i += 1) server.put(`o${i}`);
        server.faults = { refuse: 0.3, drop: 0.3, expire: 0.2 };
      };
      bench = start(seed, prepare, [auditor.handler], seed % 2 === 0 ? restless : undefined);
      const { server, clock, informer, stop } = bench;
      for (let step = 0; step < 150; step += 1) {
        disturb(server, random);
        if (random.float() < 0.5) await clock.advance(random.integer(3000));
        if (random.float() < 0.02) await clock.advance(700_000);
      }
      server.faults = {};
      await clock.advance(120_000);
      for (let turn = 0; turn < 500; turn += 1) await nextTurn(); // What is yielded for takes turns, not time.
      await clock.advance(120_000);
      expect(auditor.problems).toEqual([]);
      expect(stateOf(informer.lister.list())).toEqual(stateOf(server.objects()));
      expect(stateOf(informer.lister.byNamespace('default'))).toEqual(stateOf(server.objects()));
      expect(stateOf([...auditor.known.values()])).toEqual(stateOf(server.objects()));
      await stop();
      expect(clock.pendingTimers).toBe(0);
    });
  }
});

function disturb(server: ScriptedServer, random: ReturnType<typeof newSeededRandom>): void {
  const name = `o${random.integer(40)}`;
  const roll = random.float();
  if (roll < 0.5) server.put(name);
  else if (roll < 0.6) server.put(name, { uid: `replaced-${random.integer(1_000_000)}` });
  else if (roll < 0.85) server.remove(name);
  else if (roll < 0.9) server.compact();
  else if (roll < 0.95) server.breakWatches();
  else server.bookmark();
}
