import { isDeepStrictEqual } from 'node:util';
import { namespaces as namespaceResource, networkPolicies, pods as podResource } from '@orrery/api';
import type { Pod } from '@orrery/api/core/v1';
import type { IpFamily, KubeObject, Resource } from '@orrery/apimachinery';
import { aborted, type Clock, newMutex } from '@orrery/base';
import { type InformerFactory, isPodTerminal } from '@orrery/client';
import { type Logger, silentLogger } from '@orrery/component';
import { namesOf } from '../names.ts';
import { newShell, type Shell, withInput } from '../shell/shell.ts';
import { compilePolicies, type PodWithAddresses } from './compile.ts';
import { emptyProgram, type PolicyProgram } from './program.ts';
import { policyTableText, programChange } from './render.ts';

/** The part of a bridge network that policies need. */
export interface PolicedNetwork {
  /** Addresses of the pods of this node, by uid. */
  podAddresses(): ReadonlyMap<string, readonly string[]>;
  /** `fn` is awaited before a pod that has been joined may be used. One at a time; undefined takes it away. */
  beforeUse(fn: (() => Promise<void>) | undefined): void;
}

export interface PolicyAgentOptions {
  readonly informers: InformerFactory;
  readonly clock: Clock;
  readonly log?: Logger;
  readonly instanceId: string;
  readonly network: PolicedNetwork;
  /** @default ['IPv4', 'IPv6'] */
  readonly families?: readonly IpFamily[];
  /** As given to the network. */
  readonly hostNetns?: string;
}

/** Enforces network policies on the pods of this node. */
export interface PolicyAgent {
  /** Resolves when `signal` aborts. Rules stay: the next life of the agent takes over without a gap. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
  /** Resolves when what the informers show is enforced. */
  settled(): Promise<void>;
}

const isKnown = (pod: Pod): boolean => pod.spec.hostNetwork !== true && !isPodTerminal(pod);

/** Whether a pod's update can change what is allowed. */
function podMatters(old: Pod, pod: Pod): boolean {
  return (
    isKnown(old) !== isKnown(pod) ||
    !isDeepStrictEqual(old.metadata.labels, pod.metadata.labels) ||
    !isDeepStrictEqual(old.status?.podIPs, pod.status?.podIPs)
  );
}

const RETRY_MS = 1000; // After nft refused a change: the whole table is loaded anew.

function addressesOf(pod: Pod, local: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const here = local.get(pod.metadata.uid);
  if (here !== undefined) return here; // Known before the status says it.
  const { podIP, podIPs } = pod.status ?? {};
  const told = (podIPs ?? []).flatMap(({ ip }) => (ip === undefined ? [] : [ip]));
  return told.length > 0 || podIP === undefined || podIP === '' ? told : [podIP];
}

class Agent implements PolicyAgent {
  private readonly options: PolicyAgentOptions;
  private readonly table: string;
  private readonly shell: Shell;
  private readonly inTurn = newMutex();
  private readonly log: Logger;
  private applied: PolicyProgram | undefined; // What the kernel holds; undefined when that is not known.
  private absent: boolean | undefined; // Whether no table was there before this agent made one; undefined until asked.
  private stale = true; // Something changed since the last look at the informers.

  constructor(options: PolicyAgentOptions) {
    this.options = options;
    this.log = options.log ?? silentLogger;
    this.table = namesOf(options.instanceId).policyTable;
    this.shell = newShell({ clock: options.clock, hostNetns: options.hostNetns });
  }

  async run(signal: AbortSignal): Promise<void> {
    const { network } = this.options;
    const registrations: Disposable[] = [];
    try {
      const watch = async <T extends KubeObject>(resource: Resource<T>, matters: (old: T, object: T) => boolean): Promise<void> => {
        const informer = this.options.informers.informer(resource);
        await informer.waitForSync(signal);
        const onUpdate = (old: T, object: T): void => {
          if (matters(old, object)) this.changed();
        };
        registrations.push(informer.addHandler({ onAdd: () => this.changed(), onUpdate, onDelete: () => this.changed() }));
      };
      await Promise.all([
        watch(podResource, podMatters),
        watch(namespaceResource, (old, object) => !isDeepStrictEqual(old.metadata.labels, object.metadata.labels)),
        watch(networkPolicies, (old, object) => !isDeepStrictEqual(old.spec, object.spec)),
      ]);
      network.beforeUse(() => this.refresh());
      await this.refresh();
      await aborted(signal);
    } catch (error) {
      if (!signal.aborted) this.log.error('network policies are no longer enforced', { error });
    } finally {
      network.beforeUse(undefined);
      for (const registration of registrations) registration[Symbol.dispose]();
      await this.inTurn.run(() => this.shell.close());
    }
  }

  settled(): Promise<void> {
    return this.inTurn.run(() => this.applyIfStale());
  }

  private changed(): void {
    this.stale = true;
    this.settled().catch((error: unknown) => this.log.error('network policies cannot be enforced', { error }));
  }

  private refresh(): Promise<void> {
    this.stale = true;
    return this.settled();
  }

  private async applyIfStale(): Promise<void> {
    if (!this.stale) return;
    this.stale = false;
    const next = this.compile();
    if (this.applied === undefined && next.chains.size === 0 && (await this.tableIsAbsent())) return; // Then packets cost nothing.
    const fresh = this.applied === undefined;
    this.absent = false;
    const lines = programChange(this.table, this.applied ?? emptyProgram, next);
    if (fresh) lines.unshift(policyTableText(this.table));
    if (lines.length === 0) return;
    const { code, stderr } = await this.shell.run(withInput('nft -f -', lines.join('\n')));
    this.applied = code === 0 ? next : undefined;
    if (code === 0) return;
    this.log.error('nftables refused network policies; loading them anew', { why: stderr.slice(0, 500) });
    this.stale = true;
    this.options.clock.after(RETRY_MS, () => void this.settled().catch(() => undefined), { background: true }); // Closed: nobody waits.
  }

  /** Asked once: later only this agent makes the table. */
  private async tableIsAbsent(): Promise<boolean> {
    this.absent ??= (await this.shell.run(`nft list table inet ${this.table} >/dev/null 2>&1`)).code !== 0;
    return this.absent;
  }

  private compile(): PolicyProgram {
    const { informers, network, families = ['IPv4', 'IPv6'] } = this.options;
    const policies = informers.informer(networkPolicies).lister.list();
    if (policies.length === 0) return emptyProgram;
    const local = network.podAddresses();
    const pods = informers.informer(podResource).lister.list().filter(isKnown);
    return compilePolicies({
      policies,
      namespaces: informers.informer(namespaceResource).lister.list(),
      pods: pods.map((pod): PodWithAddresses => ({ pod, addresses: addressesOf(pod, local) })),
      isLocal: (uid) => local.has(uid),
      families,
    });
  }
}

export const newPolicyAgent = (options: PolicyAgentOptions): PolicyAgent => new Agent(options);
