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

/** What is left now. */
export interface Pressure {
  readonly memoryAvailableBytes: number;
  /** Of the kubelet's file system, between 0 and 1. */
  readonly diskAvailableFraction: number;
  /** Process ids left, between 0 and 1. */
  readonly pidsAvailableFraction: number;
}

export async function readPressure(rootDirectory: string): Promise<Pressure> {
  const [meminfo, disk, pidMax, loadavg] = await Promise.all([
    readFile('/proc/meminfo', 'utf8').catch(() => ''),
    statfs(rootDirectory),
    firstLine('/proc/sys/kernel/pid_max'),
    firstLine('/proc/loadavg'),
  ]);
  const available = /^MemAvailable:\s+(\d+) kB/m.exec(meminfo)?.[1];
  const tasks = Number(/\d+\/(\d+)/.exec(loadavg)?.[1] ?? 0);
  const pidsMax = Number(pidMax) || 32_768;
  return {
    memoryAvailableBytes: available === undefined ? Number.POSITIVE_INFINITY : Number(available) * 1024,
    diskAvailableFraction: disk.blocks === 0 ? 1 : disk.bavail / disk.blocks,
    pidsAvailableFraction: Math.max(0, 1 - tasks / pidsMax),
  };
}
