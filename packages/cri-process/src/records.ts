import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerConfig, PodSandboxConfig } from '@orrery/cri';

/** A sandbox as it stands on disk. Written whole, replaced by rename. */
export interface SandboxRecord {
  readonly id: string;
  readonly config: PodSandboxConfig;
  readonly address: string;
  /** Milliseconds since the epoch. */
  readonly createdAtMs: number;
  readonly stopped: boolean;
}

/** A container's configuration as JSON can hold it: environment values come as bytes and are kept as text. */
export interface RecordedConfig extends Omit<ContainerConfig, 'envs'> {
  readonly env: Readonly<Record<string, string>>;
}

export function recordedConfig({ envs = [], ...rest }: ContainerConfig): RecordedConfig {
  return { ...rest, env: Object.fromEntries(envs.map(({ key = '', value = new Uint8Array() }) => [key, Buffer.from(value).toString()])) };
}

/** A container as it stands on disk; `pid` and `exit` are files of their own, written by its supervisor. */
export interface ContainerRecord {
  readonly id: string;
  readonly sandboxId: string;
  readonly config: RecordedConfig;
  /** Absolute path of the CRI log. */
  readonly logPath: string | undefined;
  readonly createdAtMs: number;
  /** 0: not started yet. */
  readonly startedAtMs: number;
  /** Bytes of output, by stream, that stand in logs rotated away. */
  readonly logBase: { readonly stdout: number; readonly stderr: number };
  /** The supervisor's process; 0: not started. */
  readonly supervisorPid: number;
  /** The program could not be started: why. */
  readonly startError?: string;
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
    return undefined;
  }
}
