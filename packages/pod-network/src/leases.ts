import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HostPort, NetworkRequest } from '@orrery/cri';
import { PodNetworkError } from './pod-network-error.ts';

/** What a sandbox holds. Written down before anything is made, gone after everything is undone. */
export interface Lease {
  readonly sandboxId: string;
  /** Offset of its addresses in every range of the node. */
  readonly slot: number;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly hostPorts: readonly HostPort[];
  /** The process whose namespace is taken. Means nothing after a restart: a lease half made is begun anew. */
  readonly netnsOf?: number;
}

interface SavedLeases {
  readonly version: 1;
  readonly podCidrs: readonly string[];
  readonly leases: readonly Lease[];
  /** Free slots that were used before, the longest free first. */
  readonly released: readonly number[];
}

export interface LeasesOptions {
  /** Kept over restarts; made when absent. */
  readonly directory: string;
  readonly podCidrs: readonly string[];
  readonly firstSlot: number;
  readonly lastSlot: number;
}

const key = ({ protocol, hostIp, hostPort }: HostPort): string => `${protocol}/${hostIp}/${hostPort}`;

/**
 * Who has which addresses and host ports of this node. Slots are given in ascending order first, then the one that has been free for
 * longest, so that an address is not reused while somebody may still talk to its last owner.
 *
 * The file is replaced, not synced: it must survive the end of this process, not of the machine, with which all namespaces are gone.
 */
export class Leases {
  /** What a file for other ranges held: to be undone by whoever opens this. */
  readonly stale: readonly Lease[];
  private readonly options: LeasesOptions;
  private readonly held = new Map<string, Lease>();
  private readonly portOwners = new Map<string, string>(); // Invariant: exactly the host ports of `held`.
  private readonly used = new Set<number>(); // Invariant: exactly the slots of `held`.
  private readonly released: number[] = []; // Invariant: disjoint from `used`, no duplicates.
  private next: number; // Every slot from here on was never used.

  constructor(options: LeasesOptions) {
    this.options = options;
    this.next = options.firstSlot;
    mkdirSync(options.directory, { recursive: true });
    const saved = this.read();
    const same = saved !== undefined && JSON.stringify(saved.podCidrs) === JSON.stringify(options.podCidrs);
    this.stale = same ? [] : (saved?.leases ?? []);
    if (!same) return;
    for (const lease of saved.leases) this.hold(lease);
    this.released.push(...saved.released.filter((slot) => !this.used.has(slot)));
    this.next = Math.max(options.firstSlot, ...[...this.used, ...this.released].map((slot) => slot + 1));
  }

  get(sandboxId: string): Lease | undefined {
    return this.held.get(sandboxId);
  }

  all(): readonly Lease[] {
    return [...this.held.values()];
  }

  /** The caller saves. @throws PodNetworkError `AddressesExhausted`, `HostPortTaken` */
  allocate({ sandboxId, namespace, name, uid, hostPorts, netnsOf }: NetworkRequest): Lease {
    for (const port of hostPorts) {
      const owner = this.portOwners.get(key(port));
      if (owner === undefined || owner === sandboxId) continue;
      const taken = this.held.get(owner);
      const who = taken === undefined ? owner : `${taken.namespace}/${taken.name}`;
      throw new PodNetworkError('HostPortTaken', `host port ${port.hostPort}/${port.protocol} is taken by pod ${who}`);
    }
    const lease = { sandboxId, slot: this.freeSlot(), namespace, name, uid, hostPorts, ...(netnsOf === undefined ? {} : { netnsOf }) };
    this.hold(lease);
    return lease;
  }

  /** The caller saves. */
  release(sandboxId: string): void {
    const lease = this.held.get(sandboxId);
    if (lease === undefined) return;
    this.held.delete(sandboxId);
    this.used.delete(lease.slot);
    this.released.push(lease.slot);
    for (const port of lease.hostPorts) this.portOwners.delete(key(port));
  }

  save(): void {
    const saved: SavedLeases = { version: 1, podCidrs: this.options.podCidrs, leases: this.all(), released: this.released };
    const file = this.file();
    writeFileSync(`${file}.new`, JSON.stringify(saved), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }

  private hold(lease: Lease): void {
    this.held.set(lease.sandboxId, lease);
    this.used.add(lease.slot);
    for (const port of lease.hostPorts) this.portOwners.set(key(port), lease.sandboxId);
  }

  private freeSlot(): number {
    if (this.next <= this.options.lastSlot) return this.next++;
    const slot = this.released.shift();
    if (slot === undefined) {
      throw new PodNetworkError('AddressesExhausted', `no pod address is free in ${this.options.podCidrs.join(', ')}`);
    }
    return slot;
  }

  private file(): string {
    return join(this.options.directory, 'leases.json');
  }

  private read(): SavedLeases | undefined {
    try {
      const saved = JSON.parse(readFileSync(this.file(), 'utf8')) as SavedLeases;
      return saved.version === 1 ? saved : undefined;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw new PodNetworkError('Unavailable', `cannot read ${this.file()}`, { cause: error });
    }
  }
}
