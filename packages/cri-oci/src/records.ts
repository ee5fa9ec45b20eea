import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerConfig, LinuxContainerResources, PodSandboxConfig } from '@orrery/cri';
import type { RootMount } from './container/launch.ts';
import type { OciUser } from './spec/oci.ts';

/** A sandbox as it stands on disk. Written whole, replaced by rename. */
export interface SandboxRecord {
  readonly id: string;
  readonly config: PodSandboxConfig;
  readonly runtimeHandler: string;
  /** First the one of the node's main family. Empty while it is being made. */
  readonly addresses: readonly string[];
  /** Absent for a pod on the host's network. */
  readonly netnsPath?: string;
  /** Milliseconds since the epoch. */
  readonly createdAtMs: number;
  /** Half-made ones are cleaned up by the next agent. */
  readonly phase: 'making' | 'ready' | 'stopped';
  /** The container that holds the pod's shared pid namespace, where it has one. */
  readonly pauseId?: string;
  /** Of the boot in which its namespaces were made: they end with it. */
  readonly bootId: string;
}

/** A container's configuration as JSON can hold it: environment values come as bytes and are kept as text. */
export interface RecordedConfig extends Omit<ContainerConfig, 'envs'> {
  readonly env: Readonly<Record<string, string>>;
}

export function recordedConfig({ envs = [], ...rest }: ContainerConfig): RecordedConfig {
  return { ...rest, env: Object.fromEntries(envs.map(({ key = '', value = new Uint8Array() }) => [key, Buffer.from(value).toString()])) };
}

/** A container as it stands on disk; pids and the exit code are files of their own, written by its monitor. */
export interface ContainerRecord {
  readonly id: string;
  readonly sandboxId: string;
  readonly config: RecordedConfig;
  /** Absolute path of the CRI log. */
  readonly logPath: string;
  readonly imageId: string;
  readonly imageRef: string;
  readonly user: OciUser;
  readonly stopSignal: string;
  /** As set at last, in CRI's words. */
  readonly resources: LinuxContainerResources;
  readonly cgroupPath: string;
  readonly createdAtMs: number;
  /** 0: no start was tried yet. */
  readonly startedAtMs: number;
  /** The program could not be started: why. */
  readonly startError?: string;
  /** Host directory of what it writes; absent when nothing can be written. */
  readonly upper?: string;
  /** What is mounted before the runtime starts: the root, then images as volumes. Stays valid while the snapshots are not released. */
  readonly mounts: readonly RootMount[];
  /** Snapshots mounted as volumes, released with the container. */
  readonly imageVolumes: readonly string[];
  /** The pause of a sandbox: never listed. */
  readonly internal?: boolean;
}

export interface Records<T extends { readonly id: string }> {
  directory(id: string): string;
  all(): Promise<readonly T[]>;
  write(record: T): Promise<void>;
  remove(id: string): Promise<void>;
}

const FILE = 'record.json';

/** One folder per record under `root`, mode 0700. Half-written ones (a crash before the first rename) are removed on reading. */
export function newRecords<T extends { readonly id: string }>(root: string): Records<T> {
  const directory = (id: string): string => join(root, id);
  const remove = (id: string): Promise<void> => rm(directory(id), { recursive: true, force: true });
  return {
    directory,
    remove,
    async all() {
      await mkdir(root, { recursive: true, mode: 0o700 });
      const found: T[] = [];
      for (const id of await readdir(root)) {
        const record = await readRecord<T>(join(root, id, FILE));
        if (record?.id === id) found.push(record);
        else await remove(id);
      }
      return found;
    },
    async write(record) {
      const folder = directory(record.id);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const temporary = join(folder, `${FILE}.tmp`);
      await writeFile(temporary, JSON.stringify(record), { mode: 0o600 });
      await rename(temporary, join(folder, FILE));
    },
  };
}

async function readRecord<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T;
  } catch {
    return undefined; // Half-written, or of a version that is gone: nobody can say what it was.
  }
}
