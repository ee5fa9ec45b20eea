import { nodes as nodeResource } from '@orrery/api';
import { parseRange } from '@orrery/apimachinery';
import { aborted, type Clock, newMutex } from '@orrery/base';
import type { Client, InformerFactory } from '@orrery/client';
import { type Logger, silentLogger } from '@orrery/component';
import { macOf } from '../bridge/node-ranges.ts';
import { namesOf } from '../names.ts';
import { PodNetworkError } from '../pod-network-error.ts';
import { newShell, type Shell } from '../shell/shell.ts';
import { type Peer, peerOf, VTEP_ADDRESS_ANNOTATION, VTEP_MAC_ANNOTATION } from './peers.ts';
import { deviceScript, peerChange, staleRoutesScript, type VxlanDevice } from './routes.ts';

/** The port that flannel and Linux use; IANA's 4789 is often taken by others. */
export const DEFAULT_VXLAN_PORT = 8472;

export interface VxlanAgentOptions {
  readonly client: Pick<Client, 'patch'>;
  readonly informers: InformerFactory;
  readonly clock: Clock;
  readonly log?: Logger;
  readonly instanceId: string;
  readonly nodeName: string;
  /** This node's network: opened with `overlay: true`, so that its MTU leaves room. */
  readonly network: { readonly podCidrs: readonly string[]; readonly gateways: readonly string[]; readonly mtu: number };
  /** Where other nodes reach this one. */
  readonly nodeAddress: string;
  /** 1 to 16777215, the same on all nodes; another for each cluster whose nodes share a machine. @default 1 */
  readonly vni?: number;
  /** UDP. @default 8472 */
  readonly port?: number;
  /** As given to the network. */
  readonly hostNetns?: string;
}

/** Keeps ways to the pods of all other nodes. */
export interface VxlanAgent {
  /** Resolves when `signal` aborts; the ways stay for the next life of the agent. Never rejects: what fails is logged and tried again. */
  run(signal: AbortSignal): Promise<void>;
  /** Why pods of other nodes cannot be reached; undefined when they can. */
  problem(): string | undefined;
}

const RETRY_MS = 2000;

class Agent implements VxlanAgent {
  private readonly options: VxlanAgentOptions;
  private readonly device: VxlanDevice;
  private readonly shell: Shell;
  private readonly log: Logger;
  private readonly inTurn = newMutex();
  private applied = new Map<string, Peer>(); // By node name: the ways that are there.
  private stale = true; // Nodes changed since the last look.
  private failure: string | undefined = 'the overlay has not started';

  constructor(options: VxlanAgentOptions) {
    this.options = options;
    this.log = options.log ?? silentLogger;
    this.shell = newShell({ clock: options.clock, hostNetns: options.hostNetns });
    const [main = ''] = options.network.podCidrs;
    this.device = {
      name: namesOf(options.instanceId).vxlan,
      vni: options.vni ?? 1,
      port: options.port ?? DEFAULT_VXLAN_PORT,
      mac: macOf(parseRange(main), 1, '0a:59'),
      mtu: options.network.mtu,
      address: options.nodeAddress,
      gateways: options.network.gateways,
    };
  }

  problem(): string | undefined {
    return this.failure;
  }

  async run(signal: AbortSignal): Promise<void> {
    const informer = this.options.informers.informer(nodeResource);
    const changed = (): void => {
      this.stale = true;
      void this.settle(signal);
    };
    try {
      await this.until(signal, () => this.begin(signal));
      await informer.waitForSync(signal);
      const registration = informer.addHandler({ onAdd: changed, onUpdate: changed, onDelete: changed });
      await this.inTurn.run(() => this.shell.run(staleRoutesScript(this.device, this.wanted().values())));
      await aborted(signal);
      registration.remove();
    } catch (error) {
      if (!signal.aborted) this.log.error('pods of other nodes can no longer be followed', { error });
    } finally {
      await this.inTurn.run(() => this.shell.close());
    }
  }

  /** Makes the device and tells others of it. */
  private async begin(signal: AbortSignal): Promise<void> {
    await this.shell.check(deviceScript(this.device));
    const annotations = { [VTEP_MAC_ANNOTATION]: this.device.mac, [VTEP_ADDRESS_ANNOTATION]: this.device.address };
    await this.options.client.patch(nodeResource, { name: this.options.nodeName }, 'merge', { metadata: { annotations } }, { signal });
  }

  private settle(signal: AbortSignal): Promise<void> {
    return this.inTurn.run(async () => {
      if (!this.stale || signal.aborted) return;
      await this.until(signal, () => this.applyPeers()).catch(() => undefined); // Aborted: nobody waits.
    });
  }

  private async applyPeers(): Promise<void> {
    this.stale = false;
    const wanted = this.wanted();
    const lines = peerChange(this.device, this.applied, wanted);
    if (lines.length > 0)
      await this.shell.check(['set -- ok', ...lines.map((line) => `{ ${line}; } || set -- bad`), '[ "$1" = ok ]'].join('\n'));
    this.applied = wanted;
  }

  private wanted(): Map<string, Peer> {
    const { informers, nodeName } = this.options;
    const others = informers
      .informer(nodeResource)
      .lister.list()
      .filter(({ metadata }) => metadata.name !== nodeName);
    return new Map(
      others.flatMap((node) => {
        const peer = peerOf(node);
        return peer === undefined ? [] : [[node.metadata.name, peer] as const];
      }),
    );
  }

  private async until(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        await work();
        this.failure = undefined;
        return;
      } catch (error) {
        signal.throwIfAborted();
        this.failure = error instanceof PodNetworkError ? error.message : 'the API server did not take the VXLAN address of this node';
        this.log.warn('the way to other nodes cannot be made; trying again', { error });
        await this.options.clock.sleep(RETRY_MS, signal);
      }
    }
  }
}

export const newVxlanAgent = (options: VxlanAgentOptions): VxlanAgent => new Agent(options);
