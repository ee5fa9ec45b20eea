import { join } from 'node:path';
import { namespaces, serviceAccounts } from '@orrery/api';
import { realClock, systemRandom } from '@orrery/base';
import { type Client, newClient } from '@orrery/client';
import { silentLogger } from '@orrery/component';
import { type ClusterPki, completePki, componentUser, startKubeApiserver } from '@orrery/kube-apiserver';
import { openLmdbStore } from '@orrery/storage';

export const NAMESPACE = 'bench';

/** How a peer reaches a server. */
export interface Endpoint {
  readonly url: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

export interface BenchServer extends AsyncDisposable {
  /** Without HTTP. */
  readonly client: Client;
  readonly endpoint: Endpoint;
}

/** An API server over a durable store, without controllers, so that nothing else runs. It has the namespace {@link NAMESPACE}. */
export async function startServer(directory: string): Promise<BenchServer> {
  const store = await openLmdbStore({ directory: join(directory, 'store'), clock: realClock });
  const pki: ClusterPki = await completePki(
    { apiserver: [], nodeName: 'bench', node: [] },
    { nowMs: realClock.now(), serial: () => systemRandom.bytes(16) },
  );
  const server = await startKubeApiserver({
    store,
    clock: realClock,
    random: systemRandom,
    log: silentLogger,
    serve: { host: '127.0.0.1', port: 0, pki },
  });
  const client = newClient(server.transport(componentUser('bench')));
  await client.create(namespaces, { metadata: { name: NAMESPACE }, spec: {} });
  await client.create(serviceAccounts, { metadata: { namespace: NAMESPACE, name: 'default' } });
  return {
    client,
    endpoint: { url: server.url ?? '', ca: pki.ca.cert, ...pki.admin },
    async [Symbol.asyncDispose]() {
      await server.close();
      await store.close();
    },
  };
}
