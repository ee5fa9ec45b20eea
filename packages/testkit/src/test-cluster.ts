import { pods } from '@orrery/api';
import { type Clock, newDisposer, newSeededRandom, type Random, realClock, systemRandom } from '@orrery/base';
import { type Client, newClient, newHttpsTransport, type Transport } from '@orrery/client';
import { type Logger, silentLogger } from '@orrery/component';
import { newHollowNodes } from '@orrery/kubelet';
import { newMemoryStore, type Store } from '@orrery/storage';
import { adminKubeconfig, type Cluster, startCluster as startComponents } from 'orrery';
import { testPki } from './test-pki.ts';

export interface TestClusterOptions {
  /** Serve HTTPS on a free loopback port too. @default false */
  readonly https?: boolean;
  /** A virtual clock makes hours pass in milliseconds; advance it yourself. @default real time */
  readonly clock?: Clock;
  /** Makes names and uids the same in every run. @default the system's randomness */
  readonly seed?: number;
  /** The built-in controllers. @default true */
  readonly controllers?: boolean;
  /** @default true */
  readonly scheduler?: boolean;
  /** Nodes that run nothing: pods on them are Running at once. Their names are `node-0`, `node-1`, … @default 0 */
  readonly nodes?: number;
  /** @default an own one in memory */
  readonly store?: Store;
  /** Freeze what caches hand out, so that a change of it throws. @default true */
  readonly freeze?: boolean;
  /** @default silent */
  readonly log?: Logger;
}

/** A whole cluster in this process. Dispose of it, or `await using` it: nothing stays behind. */
export interface TestCluster extends AsyncDisposable {
  /** With all rights, without HTTP. */
  readonly client: Client;
  readonly cluster: Cluster;
  /** With `https`: where it listens. */
  readonly url: string | undefined;
  /** With `https`: a kubeconfig for real clients, as an object for `writeKubeconfig`. */
  readonly kubeconfig: ReturnType<typeof adminKubeconfig> | undefined;
  /** With `https`: a transport as a remote client has it; closed with the cluster. */
  connect(): Promise<Transport>;
  /** Adds hollow nodes and resolves when they are registered. */
  addNodes(names: readonly string[]): Promise<void>;
  dispose(): Promise<void>;
}

/**
 * Starts a cluster inside this process: API server, controllers, scheduler and, when asked, hollow nodes. Any number of them live side
 * by side.
 *
 * ```ts
 * await using cluster = await startCluster({ nodes: 3 });
 * await cluster.client.create(pods, { … });
 * ```
 */
export async function startCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  const {
    https = false,
    clock = realClock,
    seed,
    log = silentLogger,
    nodes = 0,
    freeze = true,
    controllers = true,
    scheduler = true,
  } = options;
  const random: Random = seed === undefined ? systemRandom : newSeededRandom(seed);
  const disposer = newDisposer();
  const store = options.store ?? newMemoryStore({ clock });
  if (options.store === undefined) disposer.defer(() => store.close());
  const pki = https ? await testPki() : undefined;
  const serve = pki === undefined ? {} : { serve: { host: '127.0.0.1', port: 0, pki } };
  const cluster = await startComponents({ store, clock, random, log, freeze, controllers, scheduler, ...serve });
  disposer.defer(() => cluster.stop());
  const { url } = cluster.apiserver;

  const addNodes = async (names: readonly string[]): Promise<void> => {
    const stop = new AbortController();
    const client = newClient(cluster.transportFor('system:nodes'));
    const hollow = newHollowNodes({ client, clock, pods: cluster.informers.informer(pods), names, log });
    const running = hollow.run(stop.signal);
    disposer.defer(async () => {
      stop.abort();
      await running;
    });
    await Promise.race([hollow.registered, running]);
  };
  if (nodes > 0) await addNodes(Array.from({ length: nodes }, (_, index) => `node-${index}`));

  return {
    client: cluster.client,
    cluster,
    url,
    kubeconfig: pki === undefined || url === undefined ? undefined : adminKubeconfig('test', url, pki.ca.cert, pki.admin),
    async connect() {
      if (pki === undefined || url === undefined) throw new Error('the cluster has no HTTPS: start it with { https: true }');
      const transport = newHttpsTransport({ server: url, ca: pki.ca.cert, cert: pki.admin.cert, key: pki.admin.key, clock });
      disposer.defer(() => transport.close());
      return transport;
    },
    addNodes,
    dispose: () => disposer.dispose(),
    [Symbol.asyncDispose]: () => disposer.dispose(),
  };
}
