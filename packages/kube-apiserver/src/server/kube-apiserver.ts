import { schemas } from '@orrery/api';
import {
  type ApiHttpServer,
  type Authorizer,
  accessReviewDefinitions,
  newApiHttpServer,
  newDirectTransport,
  newMastersAuthorizer,
  newResourceHandler,
  type RunningHandler,
  selfSubjectReviewDefinition,
  type UserInfo,
} from '@orrery/apiserver';
import type { Clock, Random } from '@orrery/base';
import { type Client, newClient, type Transport } from '@orrery/client';
import type { Logger } from '@orrery/component';
import type { Store } from '@orrery/storage';
import { newAdmissionPlugins } from '../admission/plugins.ts';
import { bootstrapObjects } from '../bootstrap/bootstrap-objects.ts';
import { newConnectors } from '../connect/connectors.ts';
import type { ClusterPki } from '../pki/cluster-pki.ts';
import { resources } from '../registry/resources.ts';
import { subresources } from '../registry/subresources.ts';
import { documentEndpoints } from './documents.ts';
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
    readonly pki: ClusterPki;
  };
  /** Freeze what caches hand out: on in tests. @default false */
  readonly freeze?: boolean;
}

export interface KubeApiserver {
  readonly handler: RunningHandler;
  /** `https://host:port`; undefined without HTTPS. */
  readonly url: string | undefined;
  readonly port: number | undefined;
  /** Calls without HTTP, as `user`. */
  transport(user: UserInfo): Transport;
  /** Ends watches, lets requests finish for a moment. Idempotent. */
  close(): Promise<void>;
}

/** The Kubernetes API over a store. Resolves when it answers, with everything in it that a cluster has from its first moment. */
export async function startKubeApiserver(options: KubeApiserverOptions): Promise<KubeApiserver> {
  const { store, clock, random, log, serve, freeze = false } = options;
  const authorizer = newMastersAuthorizer();
  const client = (): Client => systemClient;
  const handler = newResourceHandler({
    definitions: [...resources, ...accessReviewDefinitions(authorizer), selfSubjectReviewDefinition],
    store,
    schemas,
    clock,
    random,
    log,
    freeze,
    admission: newAdmissionPlugins({ client, clock, random }),
    subresources,
  });
  const transport = (user: UserInfo): Transport => newDirectTransport(handler, user);
  const systemClient = newClient(transport(componentUser('system:apiserver')));
  const http = serve === undefined ? undefined : newHttp(options, serve, handler, systemClient, authorizer);
  const address = await http?.listen();
  await bootstrapObjects({
    client: systemClient,
    ...(address === undefined || serve === undefined ? {} : { advertise: { address: serve.host, port: address.port } }),
  });
  return {
    handler,
    url: address?.url,
    port: address?.port,
    transport,
    async close() {
      await http?.close();
      handler.close();
    },
  };
}

type Serve = NonNullable<KubeApiserverOptions['serve']>;

function newHttp(
  { clock, random, log }: KubeApiserverOptions,
  { host, port, pki }: Serve,
  handler: RunningHandler,
  client: Client,
  authorizer: Authorizer,
): ApiHttpServer {
  const { cert, key } = pki.apiserverKubeletClient;
  const connectors = newConnectors({ client, kubeletTls: { ca: pki.ca.cert, cert, key } }, random);
  const served = new Set([...connectors.map(({ resource, subresource }) => `${resource}/${subresource}`), ...Object.keys(subresources)]);
  return newApiHttpServer({
    handler,
    tls: { key: pki.apiserver.key, cert: pki.apiserver.cert, clientCa: pki.ca.cert },
    host,
    port,
    authorizer,
    connectors,
    documents: documentEndpoints({ registry: handler.registry, serverAddress: () => `${host}:${port}`, served }),
    version: versionInfo,
    clock,
    random,
    log,
  });
}
