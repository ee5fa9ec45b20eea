import type { Clock, Random } from '@orrery/base';
import type { Logger } from '@orrery/component';
import type { Runtime } from '@orrery/cri';
import type { ImageMap } from '@orrery/cri-process';
import type { BridgeNetwork } from '@orrery/pod-network';
import type { AddressRanges } from '../address-ranges.ts';

export interface RuntimeOptions {
  /** What the drivers keep of their own; each has a folder in it. */
  readonly directory: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Part of the name of everything that is made on the machine, so that it can be found again by name alone. */
  readonly instanceId: string;
  readonly ranges: AddressRanges;
  /** This node's part of the pods' range. */
  readonly podCidr: string;
  /** Other machines are reached at this address; absent: the cluster is on this machine alone. */
  readonly machineAddress?: string | undefined;
  readonly imageMap: ImageMap;
  /** Path of a registries file: mirrors, credentials, TLS. */
  readonly registries?: string | undefined;
  /** A name or path of crun or runc, or the socket of a CRI runtime: what the driver is to use, when it has a choice. */
  readonly wanted?: string | undefined;
  /** PATH, HOME and the like. */
  readonly environment: Readonly<Record<string, string>>;
}

/** How a node reaches Services, and serves names. */
export interface NodeServices {
  readonly mode: 'nftables' | 'userspace';
  /** An address of this node that its pods reach: its DNS server listens there, and the API server when it runs here. */
  readonly address: string;
  /** The device that leads to pods. */
  readonly podInterface?: string;
  /** The bridge that pods are on: policies can be enforced there, and other nodes reached. */
  readonly bridge?: BridgeNetwork;
}

export interface OpenedRuntime {
  readonly name: string;
  readonly runtime: Runtime;
  /** What is missing on this machine, for people; said once. */
  readonly notes: readonly string[];
  /** The node's InternalIP: pods reach the machine there. */
  readonly address: string;
  /** Absent where pods cannot reach Services. */
  readonly services?: NodeServices;
  /** For the kubelet, which limits pods in it. Absent: nobody limits. */
  readonly cgroupRoot?: string;
  /** Lets go of everything; pods run on. */
  close(): Promise<void>;
}

/** One way to run containers. */
export interface RuntimeDriver {
  readonly name: string;
  /** Why it cannot be used on this machine; undefined when it can. Must be quick: it is asked at each start. */
  problem(options: Pick<RuntimeOptions, 'environment' | 'wanted'>): Promise<string | undefined>;
  /** @throws {CliError} when the machine lacks something, saying what to do. */
  open(options: RuntimeOptions): Promise<OpenedRuntime>;
  /** Removes what {@link open} made on the machine, by names alone, after every pod has been stopped. Idempotent. */
  cleanUp(options: Pick<RuntimeOptions, 'directory' | 'instanceId' | 'ranges' | 'clock'>): Promise<void>;
}
