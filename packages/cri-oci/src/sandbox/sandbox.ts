import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostPort, NetworkRequest } from '@orrery/cri';
import { type DNSConfig, type PodSandboxConfig, type PortMapping, RuntimeError } from '@orrery/cri';
import type { Helper } from '../host/helper.ts';
import { lastGroup } from '../host/last-group.ts';
import { mountsBelow } from '../host/mount-table.ts';
import { shellQuote } from '../host/process.ts';
import type { SandboxFiles } from '../spec/mounts.ts';
import { podUsers } from './user-namespace.ts';

const SHM_BYTES = 64 * 1024 * 1024; // As every container runtime has it.

export const isOnHost = ({ linux }: PodSandboxConfig, kind: 'network' | 'pid' | 'ipc'): boolean =>
  linux?.securityContext?.namespaceOptions?.[kind] === 'NODE';

/** Where a sandbox keeps what its containers share. */
export function sandboxPaths(directory: string, config: PodSandboxConfig): { readonly files: SandboxFiles; readonly ipc: string } {
  return {
    files: {
      shm: isOnHost(config, 'ipc') ? '/dev/shm' : join(directory, 'shm'),
      hosts: join(directory, 'hosts'),
      hostname: join(directory, 'hostname'),
      resolvConf: join(directory, 'resolv.conf'),
    },
    ipc: join(directory, 'ipc'),
  };
}

/** `resolv.conf(5)` of a pod. */
export function resolvConf({ servers = [], searches = [], options = [] }: DNSConfig): string {
  const lines = servers.map((server) => `nameserver ${server}`);
  if (searches.length > 0) lines.push(`search ${searches.join(' ')}`);
  if (options.length > 0) lines.push(`options ${options.join(' ')}`);
  return lines.map((line) => `${line}\n`).join('');
}

/** Writes the files that every container of the sandbox sees. */
export async function writeSandboxFiles(directory: string, config: PodSandboxConfig, hostname: string): Promise<void> {
  const { hosts, hostname: hostnameFile, resolvConf: resolver } = sandboxPaths(directory, config).files;
  const { dnsConfig } = config;
  const text = dnsConfig === undefined ? await readFile('/etc/resolv.conf', 'utf8').catch(() => '') : resolvConf(dnsConfig);
  await Promise.all([
    writeFile(resolver, text, { mode: 0o644 }),
    writeFile(hostnameFile, `${hostname}\n`, { mode: 0o644 }),
    copyFile('/etc/hosts', hosts).catch(() => writeFile(hosts, '127.0.0.1 localhost\n')),
  ]);
}

/**
 * Makes the namespace and the shared memory that the sandbox's containers have in common. They are held by the mounts at their files: no
 * process has to stay for them.
 */
export async function makeSharedMemory(helper: Helper, directory: string): Promise<void> {
  await writeFile(join(directory, 'ipc'), '');
  await mountSharedMemory(helper, directory, ['unshare', `--ipc=${directory}/ipc`]);
}

/** Mounts the shared memory alone; the namespace is there. */
export async function mountSharedMemory(helper: Helper, directory: string, before: readonly string[] = []): Promise<void> {
  await mkdir(join(directory, 'shm'), { recursive: true });
  const options = `nosuid,nodev,noexec,mode=1777,size=${SHM_BYTES}`;
  const words = [...before, 'mount', '-t', 'tmpfs', '-o', options, 'shm', join(directory, 'shm')];
  const { code, text } = await helper.run(words.map(shellQuote).join(' '));
  if (code !== 0) throw new RuntimeError('INTERNAL', `cannot make the pod's ipc namespace: ${text}`);
}

/** Unmounts everything at and below the sandbox's folder. Idempotent. */
export async function freeMounts(helper: Helper, directory: string, config: PodSandboxConfig): Promise<void> {
  const expected = isOnHost(config, 'ipc') ? [] : ['shm', 'ipc', ...(podUsers(config) === undefined ? [] : ['user'])];
  if (expected.length === 0) return;
  // As it was made, without a look at the table of all mounts; when something of it is not there, by the table.
  const paths = expected.map((name) => shellQuote(join(directory, name))).join(' ');
  if ((await helper.run(`umount --lazy --no-mtab ${paths}`)).code === 0) return;
  const points = mountsBelow(directory);
  if (points.length === 0) return;
  const { code, text } = await helper.run(['umount', '--lazy', '--no-mtab', ...points].map(shellQuote).join(' '));
  if (code !== 0 && mountsBelow(directory).length > 0) throw new RuntimeError('INTERNAL', `cannot unmount ${directory}: ${text}`);
}

export function networkRequest(
  sandboxId: string,
  { metadata = {}, portMappings = [], annotations = {} }: PodSandboxConfig,
  netnsOf?: number,
): NetworkRequest {
  const { namespace = '', name = '', uid = '' } = metadata;
  const hostPorts = portMappings.filter(({ hostPort = 0 }) => hostPort > 0).map(hostPort);
  return { sandboxId, namespace, name, uid, annotations, hostPorts, ...(netnsOf === undefined ? {} : { netnsOf }) };
}

const hostPort = ({ protocol = 'TCP', hostPort: port = 0, containerPort = 0, hostIp = '' }: PortMapping): HostPort => ({
  protocol,
  hostPort: port,
  containerPort,
  hostIp,
});

/** Kernel settings that belong to a namespace of the pod's own; the others would change the host. */
const networkSysctl = /^net\./;
const ipcSysctl = /^(kernel\.(shm\w+|msg\w+|sem)|fs\.mqueue\.\w+)$/;
const namesSysctl = /^kernel\.(hostname|domainname)$/;

// As containerd 2 has them by default: programs without privileges may listen on port 80 and ping.
const openNetwork = (config: PodSandboxConfig): Readonly<Record<string, string>> => ({
  'net.ipv4.ip_unprivileged_port_start': '0',
  'net.ipv4.ping_group_range': `0 ${(podUsers(config)?.gids[0]?.size ?? lastGroup() + 1) - 1}`,
});

/**
 * The pod's kernel settings as its containers apply them, each when it starts.
 * @throws {RuntimeError} `INVALID_ARGUMENT` for one that would change the host.
 */
export function podSysctls(config: PodSandboxConfig): Readonly<Record<string, string>> {
  const wanted = config.linux?.sysctls ?? {};
  const [net, ipc] = [!isOnHost(config, 'network'), !isOnHost(config, 'ipc')];
  for (const raw of Object.keys(wanted)) {
    const name = raw.replaceAll('/', '.');
    const fine = (net && (networkSysctl.test(name) || namesSysctl.test(name))) || (ipc && ipcSysctl.test(name));
    if (!fine) throw new RuntimeError('INVALID_ARGUMENT', `sysctl ${JSON.stringify(raw)} is not separate for this pod`);
  }
  return { ...(net ? openNetwork(config) : {}), ...wanted };
}
