import { readFile, statfs } from 'node:fs/promises';
import type { Runtime } from '@orrery/cri';
import type { Observation, Observations } from './thresholds.ts';

const text = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');

function memory(meminfo: string): Observation | undefined {
  const kilobytes = (name: string): number | undefined => {
    const found = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(meminfo)?.[1];
    return found === undefined ? undefined : Number(found) * 1024;
  };
  const [available, capacity] = [kilobytes('MemAvailable'), kilobytes('MemTotal')];
  return available === undefined || capacity === undefined ? undefined : { available, capacity };
}

async function processes(): Promise<Observation | undefined> {
  const [pidMax, threadsMax, loadavg] = await Promise.all([
    text('/proc/sys/kernel/pid_max'),
    text('/proc/sys/kernel/threads-max'),
    text('/proc/loadavg'),
  ]);
  const tasks = /\d+\/(\d+)/.exec(loadavg)?.[1];
  const capacity = Math.min(...[pidMax, threadsMax].map(Number).filter((limit) => limit > 0));
  if (tasks === undefined || !Number.isFinite(capacity)) return undefined;
  return { available: Math.max(0, capacity - Number(tasks)), capacity };
}

interface FileSystem {
  readonly space: Observation;
  /** Absent: the file system does not count them. */
  readonly inodes: Observation | undefined;
}

async function fileSystem(path: string): Promise<FileSystem | undefined> {
  const disk = await statfs(path).catch(() => undefined);
  if (disk === undefined) return undefined;
  return {
    space: { available: disk.bavail * disk.bsize, capacity: disk.blocks * disk.bsize },
    inodes: disk.files === 0 ? undefined : { available: disk.ffree, capacity: disk.files },
  };
}

/** Where the runtime keeps images; the kubelet's own directory where it does not tell. */
async function imageDirectory(runtime: Runtime, otherwise: string): Promise<string> {
  const { imageFilesystems = [] } = await runtime.imageFsInfo({}).catch(() => ({ imageFilesystems: [] }));
  return imageFilesystems[0]?.fsId?.mountpoint || otherwise;
}

/** What the node has left now. What cannot be read is left out. */
export async function observe(rootDirectory: string, runtime: Runtime): Promise<Observations> {
  const [meminfo, pids, nodefs, imagefs] = await Promise.all([
    text('/proc/meminfo'),
    processes(),
    fileSystem(rootDirectory),
    imageDirectory(runtime, rootDirectory).then(fileSystem),
  ]);
  const found = {
    'memory.available': memory(meminfo),
    'nodefs.available': nodefs?.space,
    'nodefs.inodesFree': nodefs?.inodes,
    'imagefs.available': imagefs?.space,
    'imagefs.inodesFree': imagefs?.inodes,
    'pid.available': pids,
  };
  return Object.fromEntries(Object.entries(found).filter(([, observation]) => observation !== undefined));
}
