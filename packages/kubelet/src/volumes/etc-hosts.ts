import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Pod } from '@orrery/api/core/v1';
import { isHostNetwork } from '../pod/container-spec.ts';

const header = '# Kubernetes-managed hosts file.\n';
const hostHeader = '# Kubernetes-managed hosts file (host network).\n';
const loopback =
  '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n';

function aliases(pod: Pod): string {
  const entries = pod.spec.hostAliases ?? [];
  if (entries.length === 0) return '';
  const lines = entries.map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join('\t')}\n`);
  return `\n# Entries added by HostAliases.\n${lines.join('')}`;
}

/** The pod's `/etc/hosts`. Source: kubelet managedHostsFileContent. */
export function hostsFile(pod: Pod, names: { readonly hostname: string; readonly domain: string }, podIps: readonly string[]): string {
  const all = names.domain === '' ? names.hostname : `${names.hostname}.${names.domain}\t${names.hostname}`;
  return `${header}${loopback}${podIps.map((ip) => `${ip}\t${all}\n`).join('')}${aliases(pod)}`;
}

/** Writes the file that containers see as `/etc/hosts`, when it differs. */
export async function writeHostsFile(
  path: string,
  pod: Pod,
  names: { readonly hostname: string; readonly domain: string },
  podIps: readonly string[],
): Promise<void> {
  const own = isHostNetwork(pod)
    ? `${hostHeader}${await readFile('/etc/hosts', 'utf8').catch(() => '')}${aliases(pod)}`
    : hostsFile(pod, names, podIps);
  if ((await readFile(path, 'utf8').catch(() => undefined)) === own) return;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, own, { mode: 0o644 });
}
