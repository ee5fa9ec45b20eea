import { readFile, statfs } from 'node:fs/promises';
import { uptime } from 'node:os';
import { formatTime } from '@orrery/apimachinery';

const text = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');

/** When the machine was started, in milliseconds since the epoch. */
const bootedAtMs = (nowMs: number): number => nowMs - uptime() * 1000;

async function fsStats(path: string, time: string): Promise<object> {
  const disk = await statfs(path);
  return {
    time,
    availableBytes: disk.bavail * disk.bsize,
    capacityBytes: disk.blocks * disk.bsize,
    usedBytes: (disk.blocks - disk.bfree) * disk.bsize,
    inodesFree: disk.ffree,
    inodes: disk.files,
    inodesUsed: disk.files - disk.ffree,
  };
}

/** Every interface of `/proc/net/dev` but loopback; the one of the default route stands for the node. */
export function networkStats(devices: string, routes: string, time: string): object {
  const interfaces = devices.split('\n').flatMap((line) => {
    const found = /^\s*([^:\s]+):\s*(.*)$/.exec(line);
    const name = found?.[1] ?? '';
    if (found === null || name === 'lo') return [];
    const numbers = (found[2] ?? '').trim().split(/\s+/).map(Number);
    return [{ name, rxBytes: numbers[0] ?? 0, rxErrors: numbers[2] ?? 0, txBytes: numbers[8] ?? 0, txErrors: numbers[10] ?? 0 }];
  });
  const route = routes.split('\n').find((line) => line.split(/\s+/)[1] === '00000000');
  const own = interfaces.find(({ name }) => name === route?.split(/\s+/)[0]) ?? interfaces[0];
  return { time, ...own, interfaces };
}

/** What of the machine is beside processor and memory. Source: stats/v1alpha1 NodeStats. */
export async function nodeStats(rootDirectory: string, imageDirectory: string, nowMs: number): Promise<object> {
  const time = formatTime(nowMs);
  const [fs, imageFs, devices, routes, pidMax, loadavg] = await Promise.all([
    fsStats(rootDirectory, time),
    fsStats(imageDirectory, time),
    text('/proc/net/dev'),
    text('/proc/net/route'),
    text('/proc/sys/kernel/pid_max'),
    text('/proc/loadavg'),
  ]);
  return {
    startTime: formatTime(bootedAtMs(nowMs)),
    network: networkStats(devices, routes, time),
    fs,
    runtime: { imageFs },
    rlimit: { time, maxpid: Number(pidMax), curproc: Number(/\d+\/(\d+)/.exec(loadavg)?.[1] ?? 0) },
  };
}

/** Faults since the machine was started. */
export async function pageFaults(): Promise<{ readonly pageFaults: number; readonly majorPageFaults: number }> {
  const vmstat = await text('/proc/vmstat');
  const count = (name: string): number => Number(new RegExp(`^${name} (\\d+)`, 'm').exec(vmstat)?.[1] ?? 0);
  return { pageFaults: count('pgfault'), majorPageFaults: count('pgmajfault') };
}
