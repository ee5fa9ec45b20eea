import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, sealedStdio } from '@orrery/base';
import type { HostPort, NetworkRequest } from '@orrery/cri';
import { PodNetworkError } from '../pod-network-error.ts';
import type { CniConfig, PluginConfig } from './conflist.ts';

export type CniResult = Readonly<Record<string, unknown>>;

/** What plugins are told of a sandbox. */
export type CniSubject = Omit<NetworkRequest, 'annotations'> & { readonly netnsPath: string };

export interface PluginRunnerOptions {
  readonly clock: Clock;
  readonly binDir: string;
  readonly hostNetns?: string | undefined;
}

const TIMEOUT_MS = 60_000;
const OUTPUT_BYTES_MAX = 1 << 20;

type Command = 'ADD' | 'DEL' | 'CHECK';

const mapping = ({ hostPort, containerPort, protocol, hostIp }: HostPort) => ({
  hostPort,
  containerPort,
  protocol: protocol.toLowerCase(),
  ...(hostIp === '' ? {} : { hostIP: hostIp }),
});

/** What a plugin reads: its part of the list, and of the runtime's facts those that it declares to understand. */
function stdinOf(
  { name, cniVersion }: CniConfig,
  plugin: PluginConfig,
  { hostPorts }: CniSubject,
  prevResult: CniResult | undefined,
): string {
  const runtimeConfig =
    plugin.capabilities?.['portMappings'] === true && hostPorts.length > 0 ? { portMappings: hostPorts.map(mapping) } : {};
  const { capabilities: _, ...own } = plugin;
  return JSON.stringify({
    ...own,
    name,
    cniVersion,
    ...(Object.keys(runtimeConfig).length === 0 ? {} : { runtimeConfig }),
    ...(prevResult === undefined ? {} : { prevResult }),
  });
}

const environment = (command: Command, binDir: string, { sandboxId, netnsPath, namespace, name, uid }: CniSubject): string[] => [
  `CNI_COMMAND=${command}`,
  `CNI_CONTAINERID=${sandboxId}`,
  `CNI_NETNS=${netnsPath}`,
  'CNI_IFNAME=eth0',
  `CNI_PATH=${binDir}`,
  `CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAMESPACE=${namespace};K8S_POD_NAME=${name};K8S_POD_INFRA_CONTAINER_ID=${sandboxId};K8S_POD_UID=${uid}`,
];

/** The words of a plugin that failed, as the specification shapes them. */
function failureOf(type: string, command: Command, stdout: string, stderr: string): PodNetworkError {
  let said = '';
  try {
    const { code, msg, details } = JSON.parse(stdout) as { readonly code?: number; readonly msg?: string; readonly details?: string };
    said = `${msg ?? ''}${details === undefined || details === '' ? '' : `: ${details}`} (code ${code})`;
  } catch {
    said = (stderr.trim() || stdout.trim()).slice(0, 500);
  }
  return new PodNetworkError('CniFailed', `CNI plugin ${type} failed (${command}): ${said}`);
}

export interface PluginRunner {
  /** Calls all plugins; the last one's result. When one fails, all are asked to undo. @throws PodNetworkError `CniFailed` */
  add(config: CniConfig, subject: CniSubject): Promise<CniResult>;
  /** In reverse order. @throws PodNetworkError `CniFailed` of the first that failed, after all were called */
  del(config: CniConfig, subject: CniSubject, result: CniResult | undefined): Promise<void>;
  /** @throws PodNetworkError `CniFailed` where something is not as it was made */
  check(config: CniConfig, subject: CniSubject, result: CniResult): Promise<void>;
}

export function newPluginRunner({ clock, binDir, hostNetns }: PluginRunnerOptions): PluginRunner {
  const call = (command: Command, { type }: PluginConfig, subject: CniSubject, stdin: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const within = hostNetns === undefined ? [] : ['nsenter', `--net=${hostNetns}`];
      const argv = [...within, 'env', ...environment(command, binDir, subject), join(binDir, type)];
      const child = spawn(argv[0] ?? 'env', argv.slice(1), { stdio: sealedStdio(['pipe', 'pipe', 'pipe']), cwd: '/' });
      const timer = clock.after(TIMEOUT_MS, () => child.kill('SIGKILL'));
      let stdout = '';
      let stderr = '';
      child.stdout?.setEncoding('utf8').on('data', (text: string) => {
        stdout = (stdout + text).slice(0, OUTPUT_BYTES_MAX);
      });
      child.stderr?.setEncoding('utf8').on('data', (text: string) => {
        stderr = (stderr + text).slice(0, OUTPUT_BYTES_MAX);
      });
      child.stdin?.on('error', () => undefined); // A plugin need not read it.
      child.on('error', (error) => {
        timer.cancel();
        reject(new PodNetworkError('CniFailed', `CNI plugin ${type} cannot be started: ${error.message}`));
      });
      child.on('close', (code) => {
        timer.cancel();
        if (code === 0) resolve(stdout);
        else reject(failureOf(type, command, stdout, stderr));
      });
      child.stdin?.end(stdin);
    });

  const del: PluginRunner['del'] = async (config, subject, result) => {
    let failure: unknown;
    for (const plugin of [...config.plugins].reverse()) {
      if (!existsSync(join(binDir, plugin.type))) continue; // It cannot have made anything, or can no longer tell: a pod must be able to go.
      await call('DEL', plugin, subject, stdinOf(config, plugin, subject, result)).catch((error: unknown) => {
        failure ??= error;
      });
    }
    if (failure !== undefined) throw failure;
  };
  return {
    async add(config, subject) {
      let result: CniResult | undefined;
      try {
        for (const plugin of config.plugins) {
          const stdout = await call('ADD', plugin, subject, stdinOf(config, plugin, subject, result));
          result = JSON.parse(stdout) as CniResult;
        }
      } catch (error) {
        await del(config, subject, result).catch(() => undefined); // The first failure says more.
        throw error instanceof PodNetworkError ? error : new PodNetworkError('CniFailed', 'a CNI plugin gave no JSON', { cause: error });
      }
      return result ?? {};
    },
    del,
    async check(config, subject, result) {
      if (config.disableCheck) return;
      for (const plugin of config.plugins) await call('CHECK', plugin, subject, stdinOf(config, plugin, subject, result));
    },
  };
}

/** Addresses of a result, of the old shape (before 0.3) and the new. */
export function addressesOf(result: CniResult): string[] {
  const {
    ips = [],
    ip4,
    ip6,
  } = result as {
    readonly ips?: readonly { readonly address?: string }[];
    readonly ip4?: { readonly ip?: string };
    readonly ip6?: { readonly ip?: string };
  };
  return [...ips.map(({ address }) => address), ip4?.ip, ip6?.ip].flatMap((text) => (text === undefined ? [] : [text.split('/')[0] ?? '']));
}
