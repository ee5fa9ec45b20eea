import type { Clock, Random } from '@orrery/base';
import type { EventRecorder, InformerFactory } from '@orrery/client';
import type { Logger } from '@orrery/component';

/** `nftables` translates in the kernel; `userspace` needs no rights, and carries every byte itself. */
export type ProxyMode = 'nftables' | 'userspace';

export interface KubeProxyOptions {
  readonly informers: InformerFactory;
  readonly clock: Clock;
  /** Chooses endpoints in mode userspace. */
  readonly random: Random;
  /** @default silent */
  readonly log?: Logger;
  /** This node: what runs on it is local. */
  readonly nodeName: string;
  /**
   * Addresses at which node ports answer, of IPv4, IPv6 or both; 127.0.0.1 is added. They also say which families are served.
   * The first of a family is the source of what this machine sends to Services: pods must be able to answer it.
   */
  readonly nodeAddresses: readonly string[];
  /** 4 to 8 of `[a-z0-9]`: part of the name of everything that is made on the machine. */
  readonly instanceId: string;
  readonly mode: ProxyMode;
  /** Ranges of pods' addresses: what comes from elsewhere is masqueraded on its way to a ClusterIP. @default nothing is */
  readonly clusterCidrs?: readonly string[];
  /** Ranges of Services' addresses: what is sent to one that no Service has is dropped, and the machine gets a route. @default [] */
  readonly serviceCidrs?: readonly string[];
  /** Mode nftables: path of the network namespace to work on. @default this process's */
  readonly netns?: string;
  /** @default none */
  readonly events?: EventRecorder;
  /** Where `/healthz` and `/livez` answer; upstream's port is 10256. @default nowhere */
  readonly healthzBind?: { readonly host: string; readonly port: number };
}

export interface KubeProxy {
  /** Serves until `signal` aborts. In mode nftables what is programmed stays: see `cleanUpKubeProxy`. */
  run(signal: AbortSignal): Promise<void>;
  /** Resolves when every Service that existed at the start is served; rejects with the signal's reason. */
  waitForSync(signal: AbortSignal): Promise<void>;
}
