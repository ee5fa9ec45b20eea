import type { Clock, Random } from '@orrery/base';
import { type Client, type InformerFactory, newClient, newInformerFactory, type Transport } from '@orrery/client';
import type { Logger } from '@orrery/component';
import { runAll } from '@orrery/controller';
import {
  type ClusterPki,
  componentUser,
  type KubeApiserver,
  newSigningKeyPem,
  newTokenSigner,
  startKubeApiserver,
} from '@orrery/kube-apiserver';
import { newControllerManager } from '@orrery/kube-controller-manager';
import { newScheduler } from '@orrery/kube-scheduler';
import type { Store } from '@orrery/storage';
import type { AddressRanges } from './address-ranges.ts';
import { clientHost } from './hosts.ts';
import { type NodeOptions, nodeParts, type Runnable } from './node.ts';

/** Which parts of a cluster run in this process. Everything that is named runs; the API server always does. */
export interface ClusterOptions {
  /** Stays the caller's: closed by whoever opened it, after {@link Cluster.stop}. */
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Freeze what caches hand out: on in tests. @default false */
  readonly freeze?: boolean;
  /** HTTPS; absent: clients in this process only. */
  readonly serve?: { readonly host: string; readonly port: number; readonly podHost?: string; readonly pki: ClusterPki };
  /** Addresses of pods and Services. @default as the API server has them for Services; nodes get no ranges for pods */
  readonly ranges?: Pick<AddressRanges, 'pods' | 'services'>;
  /** PEM of the private key that signs service accounts' tokens. @default a new one: tokens end with this process */
  readonly signingKey?: string;
  /** @default true */
  readonly controllers?: boolean;
  /** @default true */
  readonly scheduler?: boolean;
  /** This machine as a node; needs `serve` for logs and exec through the API server. */
  readonly node?: NodeOptions;
}

export interface Cluster {
  readonly apiserver: KubeApiserver;
  /** A client with all rights, without HTTP. */
  readonly client: Client;
  transportFor(component: string): Transport;
  /** The cache that controllers and scheduler share. */
  readonly informers: InformerFactory;
  /** Rejects when a component fails; resolves after {@link stop}. */
  readonly done: Promise<void>;
  /** Stops every component; pods go on. Idempotent. */
  stop(): Promise<void>;
}

/** Starts a cluster's components in this process. They share one cache and meet only in the API. */
export async function startCluster(given: ClusterOptions): Promise<Cluster> {
  const { signingKey = newSigningKeyPem() } = given;
  const options = { ...given, signingKey };
  const { store, clock, random, log, serve, ranges, freeze } = options;
  const apiserver = await startKubeApiserver({
    store,
    clock,
    random,
    log,
    serviceAccountTokens: { signingKey },
    ...(freeze === undefined ? {} : { freeze }),
    ...(serve === undefined ? {} : { serve }),
    ...(ranges === undefined ? {} : { serviceCidr: ranges.services }),
  });
  const transportFor = (component: string): Transport => apiserver.transport(componentUser(component), agentOf(component));
  const stopping = new AbortController();
  // One cache for controllers and scheduler: each object is held once.
  const informers = newInformerFactory(newClient(transportFor('system:informers')), { clock, random, log });
  const done = runAll(componentsOf(options, apiserver, informers, transportFor), stopping.signal);
  done.catch((error: unknown) => log.error('a component failed; the cluster stops', { error }));
  return {
    apiserver,
    client: newClient(transportFor('system:admin')),
    transportFor,
    informers,
    done,
    async stop() {
      stopping.abort();
      await done.catch(() => undefined); // Told above, and to whoever awaits `done`.
      await apiserver.close();
    },
  };
}

/** Who owns the fields that a component changes: its program's name, as with upstream's components. */
function agentOf(component: string): string {
  return component.startsWith('system:node:') ? 'kubelet' : component.replace(/^system:/, '');
}

function componentsOf(
  options: ClusterOptions & { readonly signingKey: string },
  apiserver: KubeApiserver,
  informers: InformerFactory,
  transportFor: (component: string) => Transport,
): readonly Runnable[] {
  const { clock, random, log, controllers = true, scheduler = true, node, serve, signingKey } = options;
  const runnables: Runnable[] = [informers];
  if (controllers) {
    const client = newClient(transportFor('system:kube-controller-manager'));
    const config = {
      signToken: newTokenSigner(signingKey),
      ...(options.ranges === undefined ? {} : { clusterCidrs: [options.ranges.pods], serviceCidrs: [options.ranges.services] }),
      ...(serve === undefined ? {} : { rootCa: serve.pki.ca.cert, signingAuthority: serve.pki.ca }),
    };
    runnables.push(newControllerManager({ client, informers, clock, random, log: log.with({ component: 'controllers' }), config }));
  }
  if (scheduler) {
    const client = newClient(transportFor('system:kube-scheduler'));
    runnables.push(newScheduler({ client, informers, clock, random, log: log.with({ component: 'scheduler' }) }));
  }
  if (node !== undefined) {
    const server = serve === undefined ? {} : { server: { ...serve.pki.kubelet, clientCa: serve.pki.ca.cert } };
    const { port } = apiserver;
    const apiServer = port === undefined ? {} : { apiServerAddress: { host: clientHost(serve?.host ?? ''), port } };
    runnables.push(...nodeParts({ ...server, ...apiServer, ...node }, { clock, random, log, informers, transportFor }));
  }
  return runnables;
}
