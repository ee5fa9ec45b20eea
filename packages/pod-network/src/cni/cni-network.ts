import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, newKeyedMutex } from '@orrery/base';
import type { NetworkRequest, PodAttachment, PodNetwork } from '@orrery/cri';
import { isSandboxId, namesOf, netnsPath } from '../names.ts';
import { PodNetworkError } from '../pod-network-error.ts';
import { newShell, type Shell } from '../shell/shell.ts';
import { type CniConfig, loadCniConfig } from './conflist.ts';
import { addressesOf, type CniResult, type CniSubject, newPluginRunner, type PluginRunner } from './plugins.ts';

export interface CniNetworkOptions {
  readonly instanceId: string;
  /** Keeps what each pod was joined with, over restarts. */
  readonly directory: string;
  readonly clock: Clock;
  /** As `/etc/cni/net.d`. */
  readonly confDir: string;
  /** As `/opt/cni/bin`. */
  readonly binDir: string;
  readonly hostNetns?: string;
}

export interface CniNetwork extends PodNetwork {
  /** Asks the plugins whether a pod's network is as they made it. @throws PodNetworkError `CniFailed` */
  check(sandboxId: string): Promise<void>;
  close(): Promise<void>;
}

/** What DEL needs, also when the configuration is another one by then. */
interface Saved {
  readonly config: CniConfig;
  readonly subject: CniSubject;
  /** Absent while ADD is under way. */
  readonly result?: CniResult;
}

class Cni implements CniNetwork {
  private readonly options: CniNetworkOptions;
  private readonly plugins: PluginRunner;
  private readonly shell: Shell;
  private readonly inTurn = newKeyedMutex<string>(); // Key: sandbox id.
  private failure: string | undefined;

  constructor(options: CniNetworkOptions) {
    this.options = options;
    this.plugins = newPluginRunner(options);
    this.shell = newShell(options);
    mkdirSync(options.directory, { recursive: true });
  }

  attach(request: NetworkRequest): Promise<PodAttachment> {
    return this.inTurn.run(request.sandboxId, async () => {
      const before = this.read(request.sandboxId);
      if (before?.result !== undefined) return { netnsPath: before.subject.netnsPath, addresses: addressesOf(before.result) };
      if (before !== undefined) await this.undo(before);
      try {
        const attachment = await this.join(request);
        this.failure = undefined;
        return attachment;
      } catch (error) {
        this.failure = (error as Error).message;
        throw error;
      }
    });
  }

  detach(sandboxId: string): Promise<void> {
    return this.inTurn.run(sandboxId, async () => {
      const saved = this.read(sandboxId);
      if (saved !== undefined) await this.undo(saved);
    });
  }

  async retain(sandboxIds: ReadonlySet<string>): Promise<void> {
    const known = readdirSync(this.options.directory).flatMap((file) => (file.endsWith('.json') ? [file.slice(0, -5)] : []));
    await Promise.all(known.filter((id) => !sandboxIds.has(id)).map((id) => this.detach(id)));
  }

  async check(sandboxId: string): Promise<void> {
    const saved = this.read(sandboxId);
    if (saved?.result === undefined) throw new PodNetworkError('CniFailed', `sandbox ${sandboxId} is not joined`);
    await this.plugins.check(saved.config, saved.subject, saved.result);
  }

  problem(): string | undefined {
    return this.failure;
  }

  async close(): Promise<void> {
    this.shell.close();
  }

  private async join({ annotations: _, netnsOf, ...request }: NetworkRequest): Promise<PodAttachment> {
    const config = loadCniConfig(this.options.confDir);
    if (config === undefined) throw new PodNetworkError('Unavailable', `no CNI configuration in ${this.options.confDir}`);
    const name = namesOf(this.options.instanceId).netns(request.sandboxId);
    const subject: CniSubject = { ...request, netnsPath: netnsPath(name) };
    this.write({ config, subject });
    try {
      const make = netnsOf === undefined ? `ip netns add ${name}` : `ip netns attach ${name} ${netnsOf}`;
      await this.shell.check(`${make} && ip -n ${name} link set lo up`);
      const result = await this.plugins.add(config, subject);
      const addresses = addressesOf(result);
      this.write({ config, subject, result });
      if (addresses.length === 0) throw new PodNetworkError('CniFailed', `the CNI plugins of ${config.name} gave no address`);
      return { netnsPath: subject.netnsPath, addresses };
    } catch (error) {
      await this.undo({ config, subject }).catch(() => undefined); // The file stays, so that it is tried again.
      throw error;
    }
  }

  private async undo({ config, subject, result }: Saved): Promise<void> {
    await this.plugins.del(config, subject, result);
    const name = namesOf(this.options.instanceId).netns(subject.sandboxId);
    await this.shell.check(`[ ! -e ${subject.netnsPath} ] || ip netns del ${name}`);
    rmSync(this.file(subject.sandboxId), { force: true });
  }

  private file(sandboxId: string): string {
    if (!isSandboxId(sandboxId)) throw new PodNetworkError('InvalidConfiguration', `not a sandbox id: ${JSON.stringify(sandboxId)}`);
    return join(this.options.directory, `${sandboxId}.json`);
  }

  private read(sandboxId: string): Saved | undefined {
    try {
      return JSON.parse(readFileSync(this.file(sandboxId), 'utf8')) as Saved;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  private write(saved: Saved): void {
    const file = this.file(saved.subject.sandboxId);
    writeFileSync(`${file}.new`, JSON.stringify(saved), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }
}

/**
 * The network that a CNI configuration describes; undefined where `confDir` holds none. The configuration is read anew for each pod.
 *
 * @throws PodNetworkError `InvalidConfiguration`
 */
export function openCniNetwork(options: CniNetworkOptions): CniNetwork | undefined {
  return loadCniConfig(options.confDir) === undefined ? undefined : new Cni(options);
}
