import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DNSConfig, PodSandboxConfig } from '@orrery/cri';
import type { RecordedConfig } from './records.ts';

const TARGET = '/etc/resolv.conf';

const hasServers = ({ dnsConfig }: PodSandboxConfig): boolean => (dnsConfig?.servers ?? []).length > 0;

/** The text of a resolv.conf(5). */
export function resolvConfText({ servers = [], searches = [], options = [] }: DNSConfig): string {
  const lines = [
    ...(searches.length === 0 ? [] : [`search ${searches.join(' ')}`]),
    ...servers.map((server) => `nameserver ${server}`),
    ...(options.length === 0 ? [] : [`options ${options.join(' ')}`]),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** Writes the DNS settings of a sandbox into its folder; nothing when it has none and the host's apply. */
export async function writeResolvConf(directory: string, config: PodSandboxConfig): Promise<void> {
  if (hasServers(config)) await writeFile(join(directory, 'resolv.conf'), resolvConfText(config.dnsConfig ?? {}), { mode: 0o644 });
}

/** Shows a container the DNS settings of its sandbox, unless it brings a file of its own. */
export function withResolvConf(container: RecordedConfig, sandbox: PodSandboxConfig, directory: string): RecordedConfig {
  const { mounts = [] } = container;
  if (!hasServers(sandbox) || mounts.some(({ containerPath }) => containerPath === TARGET)) return container;
  return { ...container, mounts: [...mounts, { hostPath: join(directory, 'resolv.conf'), containerPath: TARGET }] };
}
