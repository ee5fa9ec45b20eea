import type { IpFamily } from '@orrery/apimachinery';

export type Direction = 'ingress' | 'egress';

/** Whom a rule lets through; absent: everybody. */
export type PeerMatch =
  | { readonly kind: 'set'; readonly set: string }
  | { readonly kind: 'block'; readonly cidr: string; readonly except: readonly string[] };

/** Which ports of the destination; absent: all of every protocol. */
export type PortMatch =
  | { readonly kind: 'ranges'; readonly protocol: string; readonly ranges: readonly (readonly [number, number])[] }
  | { readonly kind: 'protocol'; readonly protocol: string }
  /** A set of address, protocol and port: what a name stands for differs from pod to pod. */
  | { readonly kind: 'named'; readonly set: string };

/** Lets a packet of the family through when both hold. */
export interface AllowRule {
  readonly family: IpFamily;
  readonly peer?: PeerMatch;
  readonly port?: PortMatch;
}

export interface AddressSet {
  readonly family: IpFamily;
  /** `address` alone, or `address . protocol . port`. */
  readonly type: 'addresses' | 'ports';
  readonly elements: ReadonlySet<string>;
}

/** What network policies come to on one node. */
export interface PolicyProgram {
  /** By name. */
  readonly sets: ReadonlyMap<string, AddressSet>;
  /** What one policy allows in one direction, by the chain's name. */
  readonly chains: ReadonlyMap<string, readonly AllowRule[]>;
  /** The isolated pods of this node, by address: chains of which one must let a packet through. Who is not here is not isolated. */
  readonly isolated: Readonly<Record<Direction, ReadonlyMap<string, readonly string[]>>>;
}

export const emptyProgram: PolicyProgram = { sets: new Map(), chains: new Map(), isolated: { ingress: new Map(), egress: new Map() } };
