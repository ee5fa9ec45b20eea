import { readdir, readFile, statfs } from 'node:fs/promises';
import { arch, availableParallelism, release, totalmem } from 'node:os';
import { join } from 'node:path';
import type { NodeSystemInfo } from '@orrery/api/core/v1';
import { quantityFromValue } from '@orrery/apimachinery';

/** What the machine has, as far as the kubelet tells of it. */
export interface Machine {
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Of the file system of the kubelet's root directory. */
  readonly diskBytes: number;
  /** Of every page size that the kernel has, by resource name. */
  readonly hugepages: Readonly<Record<string, string>>;
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

/** Pages that were set aside, by size. A machine without any has the two usual sizes, empty. */
export async function readHugepages(directory = '/sys/kernel/mm/hugepages'): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = { 'hugepages-1Gi': '0', 'hugepages-2Mi': '0' };
  for (const name of await readdir(directory).catch(() => [])) {
    const kilobytes = Number(/^hugepages-(\d+)kB$/.exec(name)?.[1] ?? 0);
    if (kilobytes === 0) continue;
    const pages = Number(await firstLine(join(directory, name, 'nr_hugepages')));
    const size = quantityFromValue(kilobytes * 1024, 'BinarySI').text;
    found[`hugepages-${size}`] = quantityFromValue(pages * kilobytes * 1024, 'BinarySI').text;
  }
  return found;
}

export async function readMachine(rootDirectory: string): Promise<Machine> {
  const [disk, machineID, bootID, image, uuid, hugepages] = await Promise.all([
    statfs(rootDirectory),
    firstLine('/etc/machine-id'),
    firstLine('/proc/sys/kernel/random/boot_id'),
    osImage(),
    firstLine('/sys/class/dmi/id/product_uuid'),
    readHugepages(),
  ]);
  return {
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
    diskBytes: disk.blocks * disk.bsize,
    hugepages,
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
