import { schemas } from '@orrery/api';
import {
  type ApiHttpServer,
  type ApiHttpServerOptions,
  type Connector,
  newApiHttpServer,
  newDirectTransport,
  newDocumentRaw,
  newResourceHandler,
  type RunningHandler,
  type UserInfo,
} from '@orrery/apiserver';
import type { Clock, Random } from '@orrery/base';
import { type Client, newClient, type Transport } from '@orrery/client';
import { type HealthCheck, type Logger, pingCheck } from '@orrery/component';
import type { Store } from '@orrery/storage';
import { newAdmissionPlugins } from '../admission/plugins.ts';
import { bootstrapObjects } from '../bootstrap/bootstrap-objects.ts';
import { publishClusterInfo } from '../bootstrap/cluster-info.ts';
import { reconcileRbac } from '../bootstrap/rbac/reconcile.ts';
import { newConnectors } from '../connect/connectors.ts';
import type { KubeletTls } from '../connect/node-connection.ts';
import { serveMetrics } from '../metrics/serve-metrics.ts';
import type { ClusterPki } from '../pki/cluster-pki.ts';
import { resources } from '../registry/resources.ts';
import { subresources } from '../registry/subresources.ts';
import { startCompactor } from './compactor.ts';
import { documentEndpoints } from './documents.ts';
import { type Identity, newIdentity, type ServiceAccountTokens } from './identity.ts';
import { componentUser } from './users.ts';
import { versionInfo } from './version.ts';

export interface KubeApiserverOptions {
  /** Stays the caller's. */
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Absent: no HTTPS, only {@link KubeApiserver.transport}. */
  readonly serve?: {
    readonly host: string;
    /** 0: any free one. */
    readonly port: number;
    /** Where pods reach it, when not at `host`: it listens there too. */
    readonly podHost?: string;
    readonly pki: ClusterPki;
  };
  /** Range of Service addresses; fixed for the life of the store. @default '10.96.0.0/12' */
  readonly serviceCidr?: string;
  readonly serviceAccountTokens?: ServiceAccountTokens;
  /** Freeze what caches hand out: on in tests. @default false */
  readonly freeze?: boolean;
}

export interface KubeApiserver {
  readonly handler: RunningHandler;
  /** `https://host:port`; undefined without HTTPS. */
  readonly url: string | undefined;
  readonly port: number | undefined;
  /** Calls without HTTP, as `user`. `userAgent` owns the changed fields. @default the user's name */
  transport(user: UserInfo, userAgent?: string): Transport;
  /** Resolves when the default roles are there and known; never rejects. Before, only `system:masters` may do anything over HTTPS. */
  readonly rulesReady: Promise<void>;
  /** Ends watches, lets requests finish for a moment. Idempotent. */
  close(): Promise<void>;
}

/** The Kubernetes API over a store. Resolves when it answers, with everything in it that a cluster has from its first moment. */
export async function startKubeApiserver(options: KubeApiserverOptions): Promise<KubeApiserver> {
  const { store, clock, random, log, serve, serviceCidr, freeze = false } = options;
  const client = (): Client => systemClient;
  const identity = newIdentity({ tokens: options.serviceAccountTokens, client, clock, random, log });
  const actions = { ...subresources, ...identity.subresources };
  const handler = newResourceHandler({
    definitions: [...resources, ...identity.definitions],
    store,
    schemas,
    clock,
    random,
    log,
    freeze,
    admission: [
      ...newAdmissionPlugins(
        { client, clock, random },
        { serviceAccount: { mountTokens: true }, ...(serviceCidr === undefined ? {} : { services: { serviceCidrs: [serviceCidr] } }) },
      ),
      ...identity.admission,
    ],
    subresources: actions,
  });
  const systemClient = newClient(newDirectTransport(handler, componentUser('system:apiserver')));
  const connectors = serve === undefined ? [] : newPodConnectors(systemClient, serve, random);
  if (serve !== undefined) serveMetrics(handler, { client: systemClient, kubeletTls: kubeletTlsOf(serve) }, clock);
  const apiDocuments = documentEndpoints({
    registry: handler.registry,
    serverAddress: () => `${serve?.host ?? 'localhost'}:${address?.port ?? 443}`,
    served: new Set([...connectors.map(({ resource, subresource }) => `${resource}/${subresource}`), ...Object.keys(actions)]),
  });
  const documents = [...apiDocuments, ...identity.documents];
  const raw = newDocumentRaw({ documents, version: versionInfo });
  let bootstrapped = false;
  const healthChecks = [
    pingCheck,
    bootstrapCheck('start-system-namespaces-controller', () => bootstrapped),
    bootstrapCheck('rbac/bootstrap-roles', () => bootstrapped && rules.isReady()),
  ];
  const http = serve === undefined ? undefined : newHttp(options, serve, { ...identity, handler, connectors, documents, healthChecks });
  let address: Awaited<ReturnType<ApiHttpServer['listen']>> | undefined;
  try {
    address = await http?.listen();
    const host = serve?.podHost ?? serve?.host ?? '';
    await bootstrapObjects({
      client: systemClient,
      ...(serviceCidr === undefined ? {} : { serviceCidr }),
      ...(address === undefined ? {} : { advertise: { address: host, port: address.port } }),
    });
    if (serve !== undefined && address !== undefined) await publishClusterInfo(systemClient, urlOf(host, address.port), serve.pki.ca.cert);
  } catch (error) {
    await http?.close();
    handler.close();
    throw error;
  }
  bootstrapped = true;
  const stopping = new AbortController();
  const rules = startRules(identity, systemClient, log, stopping.signal);
  const compactor = startCompactor({ store, clock, log });
  return {
    handler,
    url: address?.url,
    port: address?.port,
    rulesReady: rules.ready,
    transport: (user, userAgent) => newDirectTransport(handler, user, { raw, ...(userAgent === undefined ? {} : { userAgent }) }),
    async close() {
      stopping.abort();
      await http?.close();
      await rules.done;
      await compactor.close();
      handler.close();
    },
  };
}

const urlOf = (host: string, port: number): string => `https://${host.includes(':') ? `[${host}]` : host}:${port}`;

interface Rules {
  /** Resolves when nothing of them runs any more. */
  readonly done: Promise<unknown>;
  readonly ready: Promise<void>;
  isReady(): boolean;
}

/** Rules are made while others already work: until they are there, only `system:masters` and the process' own components may do anything. */
function startRules(identity: Identity, client: Client, log: Logger, signal: AbortSignal): Rules {
  let isReady = false;
  const running = identity.run(signal);
  const ready = reconcileRbac(client)
    .then(() => identity.synced(signal))
    .then(
      () => {
        isReady = true;
      },
      (error: unknown) => {
        if (!signal.aborted) log.error('The default roles were not made.', { error });
      },
    );
  return { done: Promise.all([running, ready]), ready, isReady: () => isReady };
}

type Serve = NonNullable<KubeApiserverOptions['serve']>;

const kubeletTlsOf = ({ pki }: Serve): KubeletTls => {
  const { cert, key } = pki.apiserverKubeletClient;
  return { ca: pki.ca.cert, cert, key };
};

const newPodConnectors = (client: Client, serve: Serve, random: Random): readonly Connector[] =>
  newConnectors({ client, kubeletTls: kubeletTlsOf(serve) }, random);

/** Who waits for `/readyz` may then count on the system's namespaces and rules. The names are upstream's. */
const bootstrapCheck = (name: string, isDone: () => boolean): HealthCheck => ({
  name: `poststarthook/${name}`,
  check() {
    if (!isDone()) throw new Error('not finished');
  },
});

type Served = Pick<
  ApiHttpServerOptions,
  'handler' | 'authenticators' | 'authorizer' | 'anonymousPaths' | 'connectors' | 'documents' | 'healthChecks'
>;

function newHttp({ clock, random, log }: KubeApiserverOptions, { host, port, podHost, pki }: Serve, served: Served): ApiHttpServer {
  return newApiHttpServer({
    ...served,
    tls: { key: pki.apiserver.key, cert: pki.apiserver.cert, clientCa: pki.ca.cert },
    host,
    port,
    ...(podHost === undefined || [podHost, '0.0.0.0', '::'].includes(host) ? {} : { moreHosts: [podHost] }),
    version: versionInfo,
    clock,
    random,
    log,
  });
}
