import { once } from 'node:events';
import { type AddressInfo, connect as connectSocket, createServer, type Socket } from 'node:net';
import { configMaps, events, leases, namespaces, pods, replicaSets, serviceAccounts } from '@orrery/api';
import type { ReplicaSet } from '@orrery/api/apps/v1';
import type { ConfigMap, Pod } from '@orrery/api/core/v1';
import { isConflict, isNotFound, type KubeObject, keyOf, selectorFromLabelSelector } from '@orrery/apimachinery';
import { aborted, newSeededRandom, realClock, systemRandom } from '@orrery/base';
import {
  type Client,
  type Handler,
  type InformerFactory,
  isPodActive,
  newClient,
  newEventRecorder,
  newHttpsTransport,
  newInformerFactory,
  newLeaderElector,
  retryOnConflict,
  type Transport,
  waitFor,
} from '@orrery/client';
import { silentLogger } from '@orrery/component';
import {
  claimObjects,
  newController,
  newExpectations,
  newObjectControl,
  podFromTemplate,
  type Result,
  recheckDeletion,
  slowStartBatch,
} from '@orrery/controller';
import { completePki, componentUser, startKubeApiserver } from '@orrery/kube-apiserver';
import { newMemoryStore } from '@orrery/storage';
import { describe, expect, test } from 'vitest';

const clock = realClock;

interface Server {
  readonly client: Client;
  /** Breaks every connection to the server, where there are any. */
  readonly cut: () => void;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
}

async function startServer(kind: 'direct' | 'https'): Promise<Server> {
  const store = newMemoryStore({ clock });
  const context = { nowMs: clock.now(), serial: () => systemRandom.bytes(16) };
  const pki = kind === 'https' ? await completePki({ apiserver: [], nodeName: 'n', node: [] }, context) : undefined;
  const server = await startKubeApiserver({
    store,
    clock,
    random: systemRandom,
    log: silentLogger,
    freeze: true,
    ...(pki === undefined ? {} : { serve: { host: '127.0.0.1', port: 0, pki } }),
  });
  const link = pki === undefined ? undefined : await newLink(server.port ?? 0);
  const transport: Transport =
    pki === undefined || link === undefined
      ? server.transport(componentUser('test'))
      : newHttpsTransport({ server: `https://127.0.0.1:${link.port}`, ca: pki.ca.cert, ...pki.admin });
  const client = newClient(transport);
  await client.create(namespaces, { metadata: { name: 'ns' } } as never);
  await client.create(serviceAccounts, { metadata: { name: 'default', namespace: 'ns' } }); // No controller makes it here.
  return {
    client,
    cut: () => link?.cut(),
    async [Symbol.asyncDispose]() {
      await transport.close();
      await link?.close();
      await server.close();
      await store.close();
    },
  };
}

/** A line to `port` that can be cut. */
async function newLink(port: number) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const onward = connectSocket(port, '127.0.0.1');
    for (const end of [socket, onward]) {
      sockets.add(end);
      end.on('error', () => {});
      end.on('close', () => sockets.delete(end));
    }
    socket.pipe(onward).pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    async close() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}

const stateOf = (objects: readonly KubeObject[]) =>
  Object.fromEntries(objects.map((object) => [`${keyOf(object)} ${object.metadata.uid}`, object.metadata.resourceVersion]).sort());

async function eventually(check: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await check())) await clock.sleep(5);
}

for (const kind of ['direct', 'https'] as const) {
  describe(`client against the API server, ${kind}`, () => {
    test('writes and reads', async () => {
      await using server = await startServer(kind);
      const { client } = server;
      const key = { namespace: 'ns', name: 'a' };
      const created = await client.create<ConfigMap>(configMaps, { metadata: key, data: { n: '1' } } as never);
      expect(created).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap', data: { n: '1' } });
      const updated = await client.update(configMaps, { ...created, data: { n: '2' } });
      const stale = await client.update(configMaps, { ...created, data: { n: '3' } }).catch((error: unknown) => error);
      expect(isConflict(stale)).toBe(true);
      const patched = await client.patch(configMaps, key, 'merge', { data: { m: 'x' } });
      expect(patched.data).toEqual({ n: '2', m: 'x' });
      expect(Number(patched.metadata.resourceVersion)).toBeGreaterThan(Number(updated.metadata.resourceVersion));
      const listed = await client.list(configMaps, { namespace: 'ns' });
      expect(listed.items.map(({ kind: itemKind, metadata }) => [itemKind, metadata.name])).toEqual([['ConfigMap', 'a']]);
      const counted = async () => {
        const current = await client.get(configMaps, key);
        return client.update(configMaps, { ...current, data: { count: String(Number(current.data?.['count'] ?? 0) + 1) } });
      };
      await Promise.all([counted, counted, counted].map((change) => retryOnConflict(change, { clock, attempts: 20 })));
      expect((await client.get(configMaps, key)).data).toEqual({ count: '3' });
      const gone = waitFor(client, configMaps, key, (object) => object === undefined, { clock, timeoutMs: 10_000 });
      await client.delete(configMaps, key);
      await gone;
      expect(isNotFound(await client.get(configMaps, key).catch((error: unknown) => error))).toBe(true);
    });

    test('informers converge while writers write and connections break', async () => {
      await using server = await startServer(kind);
      const { client, cut } = server;
      const random = newSeededRandom(42);
      const stop = new AbortController();
      const known = new Map<string, KubeObject>();
      const problems: string[] = [];
      const audit = (ok: boolean, what: string, object: KubeObject): void => {
        if (!ok) problems.push(`${what} ${keyOf(object)}`);
      };
      const handler: Handler<ConfigMap> = {
        onAdd: (object) => {
          audit(!known.has(keyOf(object)), 'added twice', object);
          known.set(keyOf(object), object);
        },
        onUpdate: (old, object) => {
          audit(known.get(keyOf(object)) === old, 'updated from an unknown state', object);
          known.set(keyOf(object), object);
        },
        onDelete: (object) => audit(known.delete(keyOf(object)), 'deleted, never added', object),
      };
      const factory = newInformerFactory(client, { clock, random: newSeededRandom(1) });
      const informer = factory.informer<ConfigMap>(configMaps);
      informer.addHandler(handler);
      const running = factory.run(stop.signal);
      await factory.waitForSync(stop.signal);
      const write = async (): Promise<void> => {
        for (let i = 0; i < 40; i += 1) {
          const key = { namespace: 'ns', name: `o${random.integer(30)}` };
          const body = { data: { n: String(random.integer(1000)) } };
          const step =
            random.float() < 0.3
              ? client.delete(configMaps, key)
              : client.create(configMaps, { metadata: key, ...body } as never).catch(() => client.patch(configMaps, key, 'merge', body));
          await step.catch(() => {}); // Another writer was faster, or the line was cut: the state at the end is what counts.
          if (random.float() < 0.05) cut();
        }
      };
      await Promise.all([write(), write(), write(), write()]);
      const { items } = await client.list(configMaps);
      await eventually(() => JSON.stringify(stateOf(informer.lister.list())) === JSON.stringify(stateOf(items)));
      expect(problems).toEqual([]);
      expect(stateOf([...known.values()])).toEqual(stateOf(items));
      stop.abort();
      await running;
    });

    test('a controller never makes too many pods, and mends what others break', async () => {
      await using server = await startServer(kind);
      const { client, cut } = server;
      const stop = new AbortController();
      const factory = newInformerFactory(client, { clock });
      const controller = newReplicaController(client, factory);
      const running = Promise.all([factory.run(stop.signal), controller.run(stop.signal)]);
      let most = 0;
      const podInformer = factory.informer<Pod>(pods);
      podInformer.addHandler({
        onAdd: () => {
          most = Math.max(most, podInformer.lister.list().filter(isPodActive).length);
        },
      });
      const labels = { app: 'a' };
      const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } };
      const key = { namespace: 'ns', name: 'rs' };
      await client.create(replicaSets, { metadata: key, spec: { replicas: 7, selector: { matchLabels: labels }, template } } as never);
      const active = async () => (await client.list(pods, { namespace: 'ns' })).items.filter(isPodActive);
      await eventually(async () => (await active()).length === 7);
      cut();
      const [victim] = await active();
      await client.delete(pods, victim?.metadata ?? key, { gracePeriodSeconds: 0 });
      await eventually(async () => {
        const now = await active();
        return now.length === 7 && now.every(({ metadata }) => metadata.uid !== victim?.metadata.uid);
      });
      expect(most).toBe(7);
      await client.patch(replicaSets, key, 'merge', { spec: { replicas: 2 } });
      await eventually(async () => (await active()).length === 2);
      const [released] = await active();
      await client.patch(pods, released?.metadata ?? key, 'merge', { metadata: { labels: { app: 'other' } } });
      await eventually(async () => (await active()).length === 3);
      const orphan = await client.get(pods, released?.metadata ?? key);
      expect(orphan.metadata.ownerReferences ?? []).toEqual([]);
      stop.abort();
      await running;
    });

    test('events and leader election', async () => {
      await using server = await startServer(kind);
      const { client } = server;
      await using recorder = newEventRecorder({ client, clock, component: 'tester' });
      const regarding = await client.create<ConfigMap>(configMaps, { metadata: { namespace: 'ns', name: 'a' } } as never);
      for (let i = 0; i < 3; i += 1) recorder.event(regarding, 'Normal', 'Tested', 'It was tested');
      await recorder.flush();
      const { items } = await client.list(events, { namespace: 'ns', fieldSelector: 'involvedObject.name=a' });
      expect(items).toMatchObject([{ reason: 'Tested', count: 3, source: { component: 'tester' } }]);

      const log: string[] = [];
      const campaign = (identity: string) => {
        const stop = new AbortController();
        const lease = { namespace: 'ns', name: 'leader' };
        const elector = newLeaderElector({
          client,
          lease,
          identity,
          clock,
          leaseDurationMs: 120_000,
          renewDeadlineMs: 60_000,
          retryPeriodMs: 20,
        });
        const done = elector.run(stop.signal, async (signal) => {
          log.push(identity);
          await aborted(signal);
        });
        return { stop, done };
      };
      const one = campaign('one');
      await eventually(() => log.length === 1);
      const two = campaign('two');
      await clock.sleep(100);
      expect(log).toEqual(['one']);
      one.stop.abort();
      await one.done;
      await eventually(() => log.length === 2);
      expect((await client.get(leases, { namespace: 'ns', name: 'leader' })).spec).toMatchObject({
        holderIdentity: 'two',
        leaseTransitions: 1,
      });
      two.stop.abort();
      await two.done;
    });
  });
}

/** A small ReplicaSet controller: everything that the framework offers, in the way that it is meant. */
function newReplicaController(client: Client, factory: InformerFactory) {
  const sets = factory.informer<ReplicaSet>(replicaSets);
  const podInformer = factory.informer<Pod>(pods);
  const expectations = newExpectations({ clock });
  const control = newObjectControl<Pod>({ client, resource: pods, owner: replicaSets });
  const ownerKey = (pod: Pod): string => `${pod.metadata.namespace}/${pod.metadata.ownerReferences?.find((o) => o.controller)?.name}`;
  podInformer.addHandler({
    onAdd: (pod) => expectations.creationObserved(ownerKey(pod)),
    onUpdate: (_old, pod) => {
      if (pod.metadata.deletionTimestamp !== undefined) expectations.deletionObserved(ownerKey(pod), pod.metadata.uid);
    },
    onDelete: (pod) => expectations.deletionObserved(ownerKey(pod), pod.metadata.uid),
  });

  async function reconcile(name: { readonly namespace?: string | undefined; readonly name: string }, signal: AbortSignal): Promise<Result> {
    const set = sets.lister.get(name);
    const key = `${name.namespace}/${name.name}`;
    if (set === undefined || !expectations.isSettled(key)) return {};
    const owned = await claimObjects(podInformer.lister.byNamespace(name.namespace ?? '').filter(isPodActive), {
      owner: set,
      selector: selectorFromLabelSelector(set.spec?.selector),
      control,
      canAdopt: recheckDeletion(client, replicaSets, set, signal),
      signal,
    });
    const missing = (set.spec?.replicas ?? 1) - owned.length;
    if (missing > 0) {
      expectations.expect(key, { creations: missing });
      const template = set.spec?.template;
      if (template === undefined) return {};
      const outcome = await slowStartBatch(missing, async () => {
        try {
          await control.create(podFromTemplate(template, set), set, signal);
        } catch (error) {
          expectations.creationObserved(key);
          throw error;
        }
      });
      for (let i = 0; i < outcome.skipped; i += 1) expectations.creationObserved(key);
      if (outcome.error !== undefined) throw outcome.error;
      return {};
    }
    const excess = owned.slice(0, -missing);
    if (missing === 0 || excess.length === 0) return {};
    expectations.expect(key, { deletions: excess.map(({ metadata }) => metadata.uid) });
    for (const pod of excess) {
      await control.remove(pod, set, signal).catch((error: unknown) => {
        expectations.deletionObserved(key, pod.metadata.uid);
        if (!isNotFound(error)) throw error;
      });
    }
    return {};
  }

  return newController<ReplicaSet>({
    name: 'replica-controller',
    clock,
    informerFactory: factory,
    primary: replicaSets,
    owns: [pods],
    workers: 2,
    reconciler: { reconcile },
  });
}
