import { readFile, statfs } from 'node:fs/promises';
import { arch, availableParallelism, release, totalmem } from 'node:os';
import type { NodeSystemInfo } from '@orrery/api/core/v1';

/** What the machine has, as far as the kubelet tells of it. */
export interface Machine {
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Of the file system of the kubelet's root directory. */
  readonly diskBytes: number;
  readonly system: Omit<NodeSystemInfo, 'containerRuntimeVersion' | 'kubeProxyVersion' | 'kubeletVersion'>;
}

const goArchitectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64', arm: 'arm', ia32: '386', ppc64: 'ppc64le' };

/** The machine's architecture in Go's words, as labels and images have it. */
export const architecture = (): string => goArchitectures[arch()] ?? arch();

const firstLine = async (path: string): Promise<string> => (await readFile(path, 'utf8').catch(() => '')).trim();

async function osImage(): Promise<string> {
  const line = (await firstLine('/etc/os-release')).split('\n').find((text) => text.startsWith('PRETTY_NAME='));
  return line?.slice('PRETTY_NAME='.length).replaceAll('"', '') ?? 'Linux';
}

export async function readMachine(rootDirectory: string): Promise<Machine> {
  const [disk, machineID, bootID, image, uuid] = await Promise.all([
    statfs(rootDirectory),
    firstLine('/etc/machine-id'),
    firstLine('/proc/sys/kernel/random/boot_id'),
    osImage(),
    firstLine('/sys/class/dmi/id/product_uuid'),
  ]);
  return {
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
    diskBytes: disk.blocks * disk.bsize,
    system: {
      architecture: architecture(),
      bootID,
      kernelVersion: release(),
      machineID,
      operatingSystem: 'linux',
      osImage: image,
      systemUUID: uuid === '' ? machineID : uuid,
    },
  };
}
