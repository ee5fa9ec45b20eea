import { chmod, mkdir, open, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { isJsonObject, type JsonObject } from '@orrery/apimachinery';
import type { Clock } from '@orrery/base';
import { emptyKubeconfig, type Kubeconfig, type KubeconfigCluster, KubeconfigError, type KubeconfigUser } from './kubeconfig.ts';
import { firstWins } from './merge.ts';

/**
 * Loads and merges the files of a KUBECONFIG list; what is absent is skipped. No file at all gives an empty config.
 * @throws {KubeconfigError} `Malformed`, naming the file.
 */
export async function loadKubeconfig(paths: readonly string[]): Promise<Kubeconfig> {
  const loaded = await Promise.all(paths.filter((path) => path !== '').map((path) => loadFile(path, 'resolve')));
  return firstWins(loaded.filter((config) => config !== undefined));
}

async function loadFile(path: string, relative: RelativePaths): Promise<Kubeconfig | undefined> {
  const text = await readIfPresent(path);
  return text === undefined ? undefined : parseKubeconfig(text, path, relative);
}

async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** What becomes of relative paths in a file: `resolve` makes them absolute, so that they hold anywhere; `keep` is for writing it back. */
export type RelativePaths = 'resolve' | 'keep';

/**
 * @param path - Where `text` stands: errors name it, and relative paths in it start at its folder.
 * @throws {KubeconfigError} `Malformed`
 */
export async function parseKubeconfig(text: string, path: string, relative: RelativePaths = 'resolve'): Promise<Kubeconfig> {
  const { parse } = await import('yaml');
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    throw new KubeconfigError('Malformed', `${path}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  if (value === null || value === undefined) return emptyKubeconfig;
  if (!isJsonObject(value)) throw new KubeconfigError('Malformed', `${path}: a kubeconfig must be a YAML mapping`);
  const folder = relative === 'resolve' ? dirname(resolve(path)) : undefined;
  return {
    ...value,
    apiVersion: 'v1',
    kind: 'Config',
    clusters: entriesOf(value['clusters'], 'cluster', path, (cluster) => absoluteCluster(cluster, folder)),
    contexts: entriesOf(value['contexts'], 'context', path, (context) => context),
    users: entriesOf(value['users'], 'user', path, (user) => absoluteUser(user, folder)),
  } as unknown as Kubeconfig;
}

function entriesOf<F extends string, V extends object>(list: unknown, field: F, path: string, complete: (value: V) => V) {
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) throw new KubeconfigError('Malformed', `${path}: ${field}s must be a list`);
  return list.map((entry: unknown, index) => {
    if (!isJsonObject(entry) || typeof entry['name'] !== 'string') {
      throw new KubeconfigError('Malformed', `${path}: ${field}s[${index}] must have a name`);
    }
    const value = entry[field] ?? {};
    if (!isJsonObject(value)) throw new KubeconfigError('Malformed', `${path}: ${field}s[${index}].${field} must be a mapping`);
    return { ...entry, [field]: complete(value as V) };
  });
}

const absolute = <T extends object>(value: T, field: keyof T & string, folder: string | undefined): Partial<T> => {
  const path = value[field];
  return folder !== undefined && typeof path === 'string' && path !== '' ? ({ [field]: resolve(folder, path) } as Partial<T>) : {};
};
const absoluteCluster = (cluster: KubeconfigCluster, folder: string | undefined): KubeconfigCluster => ({
  ...cluster,
  ...absolute(cluster, 'certificate-authority', folder),
});
const absoluteUser = (user: KubeconfigUser, folder: string | undefined): KubeconfigUser => ({
  ...user,
  ...absolute(user, 'client-certificate', folder),
  ...absolute(user, 'client-key', folder),
  ...absolute(user, 'tokenFile', folder),
  ...(user.exec === undefined ? {} : { exec: absoluteCommand(user.exec, folder) }),
});

/** A plugin with a slash in its name is a path; without one it is searched for. */
const absoluteCommand = (exec: JsonObject, folder: string | undefined): JsonObject => {
  const { command } = exec;
  return folder !== undefined && typeof command === 'string' && command.includes('/')
    ? { ...exec, command: resolve(folder, command) }
    : exec;
};

/** The YAML text of a kubeconfig, its top fields in kubectl's order. */
export async function formatKubeconfig(config: Kubeconfig): Promise<string> {
  const { stringify } = await import('yaml');
  const { apiVersion, clusters, contexts, 'current-context': current = '', kind, preferences = {}, users, ...rest } = config;
  return stringify({ apiVersion, clusters, contexts, 'current-context': current, kind, preferences, users, ...rest });
}

/** Replaces the file in one step, readable by its owner only (0600); a reader sees the old file or the new one. Follows a symbolic link. */
export async function writeKubeconfig(path: string, config: Kubeconfig): Promise<void> {
  const text = await formatKubeconfig(config);
  await mkdir(dirname(resolve(path)), { recursive: true, mode: 0o700 });
  const target = await realpath(path).catch(() => resolve(path)); // Absent: it is made where it was asked for.
  const temporary = `${target}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, text, { mode: 0o600 });
    await chmod(temporary, 0o600); // Whatever was left there by a process that crashed.
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

const LOCK_ATTEMPTS_MAX = 50;
const LOCK_PAUSE_MS = 100;

/**
 * Reads the file, changes it and writes it, while nobody else does who keeps to kubectl's lock (`<path>.lock`). Waits up to 5 s for the lock.
 * @throws {KubeconfigError} `Locked` when it stays taken, `Malformed` when the file cannot be read: it is then left as it is.
 */
export async function updateKubeconfig(path: string, clock: Clock, change: (config: Kubeconfig) => Kubeconfig): Promise<void> {
  await mkdir(dirname(resolve(path)), { recursive: true, mode: 0o700 });
  const lock = `${resolve(path)}.lock`;
  await takeLock(lock, clock);
  try {
    const before = (await loadFile(path, 'keep')) ?? emptyKubeconfig;
    const after = change(before);
    if (after !== before) await writeKubeconfig(path, after);
  } finally {
    await rm(lock, { force: true });
  }
}

async function takeLock(lock: string, clock: Clock): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await (await open(lock, 'wx', 0o600)).close();
      return;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
      if (attempt >= LOCK_ATTEMPTS_MAX)
        throw new KubeconfigError(
          'Locked',
          `${lock} exists: another program changes the kubeconfig, or crashed; remove the file if none does`,
          { cause },
        );
      await clock.sleep(LOCK_PAUSE_MS);
    }
  }
}
