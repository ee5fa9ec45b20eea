import { parseRange } from '@orrery/apimachinery';
import { type Clock, newKeyedMutex, type Timer } from '@orrery/base';
import { type Logger, silentLogger } from '@orrery/component';
import type { NetworkRequest, PodAttachment, PodNetwork } from '@orrery/cri';
import { type Batcher, newBatcher, type Outcome } from '../batcher.ts';
import { cleanUpNetwork } from '../clean-up.ts';
import { type Lease, Leases } from '../leases.ts';
import { namesOf, netnsPath } from '../names.ts';
import { newShell, type Shell } from '../shell/shell.ts';
import { keepForeignFirewallsOpen } from './foreign-firewalls.ts';
import type { HostRulesInput } from './host-rules.ts';
import { detectMtu, type Notes, setUpBridge, setUpHost } from './host-setup.ts';
import type { LinkInput } from './link-commands.ts';
import { parseNodeRanges } from './node-ranges.ts';
import { newPodLinks, type PodLinks } from './pod-links.ts';

export interface BridgeNetworkOptions {
  /** Of this node on this machine: 1 to 8 of `[a-z0-9]`, in the name of everything that is made. */
  readonly instanceId: string;
  /** Kept over restarts: who has which address. Owned by this network alone. */
  readonly directory: string;
  readonly clock: Clock;
  readonly log?: Logger;
  /** This node's ranges, one of each family, the main one first: `Node.spec.podCIDRs`. */
  readonly podCidrs: readonly string[];
  /** Ranges of the whole cluster: what pods send there keeps their address. @default podCidrs */
  readonly clusterCidrs?: readonly string[];
  /** Of pods' links, in bytes. @default that of the default route's device (1500 without one), 50 less with `overlay` */
  readonly mtu?: number;
  /** Pods of other nodes are reached by VXLAN: leave room for its headers. @default false */
  readonly overlay?: boolean;
  /** The network namespace that is the host: a path that `nsenter --net=` takes. @default that of this process */
  readonly hostNetns?: string;
}

export interface BridgeNetwork extends PodNetwork {
  /** Address of the bridge in the main family: the pods' gateway, where the node serves its pods. */
  readonly gateway: string;
  /** One for each of `podCidrs`. */
  readonly gateways: readonly string[];
  readonly podCidrs: readonly string[];
  readonly bridge: string;
  readonly mtu: number;
  /** What does not work on this machine and why, to be said once; empty where everything does. */
  readonly notes: readonly string[];
  /** Addresses of the pods of this node, by uid: of all that are joined or being joined. */
  podAddresses(): ReadonlyMap<string, readonly string[]>;
  /** `fn` is awaited before an attachment is given out, so that rules are there before the pod. One at a time; undefined takes it away. */
  beforeUse(fn: (() => Promise<void>) | undefined): void;
  /** Waits for what is under way and lets go. Pods keep their network. */
  close(): Promise<void>;
  /** Ends everything of this instance: pods' namespaces and links, the bridge, the tables, the leases. */
  destroy(): Promise<void>;
}

const BATCH_MAX = 64; // Pods of one script: at 3 ms each the next ones wait 0.2 s at most.

class Bridge implements BridgeNetwork {
  readonly gateway: string;
  readonly gateways: readonly string[];
  readonly podCidrs: readonly string[];
  readonly bridge: string;
  readonly mtu: number;
  readonly notes: readonly string[];
  private readonly parts: BridgeParts;
  private readonly attached = new Map<string, PodAttachment>(); // Leases whose links are known to be whole.
  private readonly inTurn = newKeyedMutex<string>(); // Key: sandbox id.
  private readonly attaching: Batcher<Lease, void>;
  private readonly detaching: Batcher<Lease, void>;
  private guard: (() => Promise<void>) | undefined;
  private failure: string | undefined; // Of the last attempt to join; undefined after one that went well.

  constructor(parts: BridgeParts) {
    this.parts = parts;
    const { node, names, mtu } = parts.link;
    this.gateways = node.gateways;
    this.podCidrs = node.ranges.map(({ text }) => text);
    this.gateway = node.gateways[0] ?? '';
    this.bridge = names.bridge;
    this.mtu = mtu;
    this.notes = parts.notes;
    this.attaching = newBatcher((leases) => this.makeAll(leases), BATCH_MAX);
    this.detaching = newBatcher((leases) => this.endAll(leases), BATCH_MAX);
  }

  podAddresses(): ReadonlyMap<string, readonly string[]> {
    const { leases, link } = this.parts;
    return new Map(leases.all().map(({ uid, slot }) => [uid, link.node.addressesOf(slot)]));
  }

  beforeUse(fn: (() => Promise<void>) | undefined): void {
    this.guard = fn;
  }

  attach(request: NetworkRequest): Promise<PodAttachment> {
    return this.inTurn.run(request.sandboxId, () => this.attachNow(request));
  }

  detach(sandboxId: string): Promise<void> {
    return this.inTurn.run(sandboxId, async () => {
      const lease = this.parts.leases.get(sandboxId);
      if (lease === undefined) return;
      this.attached.delete(sandboxId);
      await this.detaching.add(lease);
    });
  }

  async retain(sandboxIds: ReadonlySet<string>): Promise<void> {
    const gone = this.parts.leases.all().filter(({ sandboxId }) => !sandboxIds.has(sandboxId));
    await Promise.all(gone.map(({ sandboxId }) => this.detach(sandboxId)));
  }

  problem(): string | undefined {
    return this.failure;
  }

  async close(): Promise<void> {
    this.parts.firewalls.cancel();
    await this.attaching.idle();
    await this.detaching.idle();
    this.parts.shell.close();
  }

  async destroy(): Promise<void> {
    const { leases, instanceId, hostNetns, clock } = this.parts;
    await this.close();
    await cleanUpNetwork(instanceId, { clock, hostNetns });
    for (const { sandboxId } of leases.all()) leases.release(sandboxId);
    leases.save();
  }

  private async attachNow(request: NetworkRequest): Promise<PodAttachment> {
    const { leases } = this.parts;
    const known = this.attached.get(request.sandboxId);
    if (known !== undefined) return known;
    const before = leases.get(request.sandboxId);
    // A lease of an earlier life of the agent may be half made.
    if (before !== undefined && (await this.isWhole(before))) return await this.remember(before);
    if (before !== undefined) await this.detaching.add(before);
    const lease = leases.allocate(request);
    await this.attaching.add(lease);
    return await this.remember(lease);
  }

  private async remember(lease: Lease): Promise<PodAttachment> {
    await this.guard?.();
    const { names, node } = this.parts.link;
    const attachment = { netnsPath: netnsPath(names.netns(lease.sandboxId)), addresses: node.addressesOf(lease.slot) };
    this.attached.set(lease.sandboxId, attachment);
    return attachment;
  }

  /** Joined completely: addresses come last, of them the default route. */
  private async isWhole({ sandboxId, slot }: Lease): Promise<boolean> {
    const { names, node } = this.parts.link;
    const netns = names.netns(sandboxId);
    const routes = node.ranges.map(({ family }) => `ip -n ${netns} ${family === 'IPv4' ? '-4' : '-6'} route show default | grep -q .`);
    const { code } = await this.parts.shell.run([`ip link show ${names.veth(slot)} >/dev/null 2>&1`, ...routes].join(' && '));
    return code === 0;
  }

  private async makeAll(leases: readonly Lease[]): Promise<readonly Outcome<void>[]> {
    this.parts.leases.save(); // Before anything is made: what a crash leaves is found again.
    try {
      await this.parts.links.make(leases);
      this.failure = undefined;
      return leases.map(() => ({ value: undefined }));
    } catch (error) {
      this.parts.log.debug('joining pods one by one, after they failed together', { error });
      return await this.makeOneByOne(leases);
    }
  }

  private async makeOneByOne(leases: readonly Lease[]): Promise<readonly Outcome<void>[]> {
    const { links, shell, link } = this.parts;
    await links.end(leases).catch(() => undefined); // Told below, by the failure to make it anew.
    const outcomes: Outcome<void>[] = [];
    for (const lease of leases) {
      try {
        await setUpBridge(shell, link); // It may have been taken away.
        await links.make([lease]);
        this.failure = undefined;
        outcomes.push({ value: undefined });
      } catch (error) {
        this.failure = (error as Error).message;
        await this.undo(lease);
        outcomes.push({ error });
      }
    }
    this.parts.leases.save();
    return outcomes;
  }

  /** When even that fails the lease stays, so that `retain` or another attempt finds what is left. */
  private async undo(lease: Lease): Promise<void> {
    try {
      await this.parts.links.end([lease]);
      this.parts.leases.release(lease.sandboxId);
    } catch (error) {
      this.parts.log.warn('a pod that could not be joined left something behind', { sandbox: lease.sandboxId, error });
    }
  }

  private async endAll(leases: readonly Lease[]): Promise<readonly Outcome<void>[]> {
    const outcomes: Outcome<void>[] = [];
    const ended = (lease: Lease): void => {
      this.parts.leases.release(lease.sandboxId);
      outcomes.push({ value: undefined });
    };
    try {
      await this.parts.links.end(leases);
      leases.forEach(ended);
    } catch {
      for (const lease of leases) {
        await this.parts.links.end([lease]).then(
          () => ended(lease),
          (error: unknown) => outcomes.push({ error }),
        );
      }
    }
    this.parts.leases.save();
    return outcomes;
  }
}

interface BridgeParts {
  readonly instanceId: string;
  readonly hostNetns: string | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly shell: Shell;
  readonly link: LinkInput;
  readonly leases: Leases;
  readonly links: PodLinks;
  readonly notes: Notes;
  readonly firewalls: Pick<Timer, 'cancel'>;
}

/**
 * Opens the pod network of a node: makes the bridge and the rules, or takes over what an earlier life of the agent left.
 *
 * @throws PodNetworkError `Unavailable` where no bridge can be made, `InvalidConfiguration` for ranges that cannot be used
 */
export async function openBridgeNetwork(options: BridgeNetworkOptions): Promise<BridgeNetwork> {
  const { instanceId, directory, clock, log = silentLogger, podCidrs, hostNetns, overlay = false } = options;
  const names = namesOf(instanceId);
  const node = parseNodeRanges(podCidrs);
  const leases = new Leases({ directory, podCidrs, firstSlot: node.firstSlot, lastSlot: node.lastSlot });
  const shell = newShell({ clock, hostNetns });
  try {
    const link: LinkInput = { names, node, mtu: options.mtu ?? (await detectMtu(shell, overlay)) };
    const rules: HostRulesInput = { names, node, clusterCidrs: (options.clusterCidrs ?? podCidrs).map(parseRange) };
    const links = newPodLinks(shell, link, rules);
    if (leases.stale.length > 0) await cleanUpNetwork(instanceId, { clock, hostNetns }); // The ranges are others: nothing can stay.
    const notes = await setUpHost(shell, link, rules, leases.all());
    leases.save();
    const firewalls = keepForeignFirewallsOpen(shell, names, node, clock, log);
    return new Bridge({ instanceId, hostNetns, clock, log, shell, link, leases, links, notes, firewalls });
  } catch (error) {
    shell.close();
    throw error;
  }
}
