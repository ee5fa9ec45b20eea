import { schemas } from '@orrery/api';
import {
  type ApiHttpServer,
  newApiHttpServer,
  newDirectTransport,
  newResourceHandler,
  type RunningHandler,
  type UserInfo,
} from '@orrery/apiserver';
import type { Clock, Random } from '@orrery/base';
import type { Transport } from '@orrery/client';
import type { Logger } from '@orrery/component';
import type { Store } from '@orrery/storage';
import type { ClusterPki } from '../pki/cluster-pki.ts';
import { resources } from '../registry/resources.ts';
import { documentEndpoints } from './documents.ts';
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

/** The Kubernetes API over a store. Resolves when it answers. */
export async function startKubeApiserver(options: KubeApiserverOptions): Promise<KubeApiserver> {
  const { store, clock, random, log, serve, freeze = false } = options;
  const handler = newResourceHandler({ definitions: resources, store, schemas, clock, random, log, freeze });
  let http: ApiHttpServer | undefined;
  let address: { readonly port: number; readonly url: string } | undefined;
  if (serve !== undefined) {
    const { host, port, pki } = serve;
    http = newApiHttpServer({
      handler,
      tls: { key: pki.apiserver.key, cert: pki.apiserver.cert, clientCa: pki.ca.cert },
      host,
      port,
      documents: documentEndpoints({ registry: handler.registry, serverAddress: () => new URL(address?.url ?? `https://${host}`).host, served: new Set() }),
      version: versionInfo,
      clock,
      random,
      log,
    });
    address = await http.listen();
  }
  return {
    handler,
    url: address?.url,
    port: address?.port,
    transport: (user) => newDirectTransport(handler, user),
    async close() {
      await http?.close();
      handler.close();
    },
  };
}
