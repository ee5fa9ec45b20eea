import { spawn } from 'node:child_process';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { sealedStdio } from '@orrery/base';
import { messageOf } from '../runtime/errors.ts';
import { mountsBelow, parseMountInfo } from './mount-info.ts';

/** Mounts in the mount namespace of this process. */
export interface Mounts {
  /** Whether this process may mount: root, or root of a user namespace with a mount namespace of its own. */
  readonly allowed: boolean;
  /** A fresh tmpfs on `path`, which exists. */
  tmpfs(path: string, options: { readonly mode: number; readonly sizeBytes?: number | undefined }): Promise<void>;
  /** `source` once more at `target`, which is of the same kind. `source` is taken as it is: links like `/proc/self/fd/3` lead to the object itself. */
  bind(source: string, target: string): Promise<void>;
  /** True where something is mounted exactly at `path`. */
  isMounted(path: string): Promise<boolean>;
  /** Ends every mount at or below `path`, deepest first. Nothing that is mounted there loses its content. @throws {Error} while one is left. */
  unmountBelow(path: string): Promise<void>;
}

const OUTPUT_BYTES_MAX = 4096;

/** @throws {Error} with what the command said, when it fails. */
function run(command: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: sealedStdio(['ignore', 'ignore', 'pipe']),
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    });
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      if (said.length < OUTPUT_BYTES_MAX) said += chunk.toString();
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(said.trim() === '' ? `${command} ended with code ${code}` : said.trim()));
    });
  });
}

const readMounts = async (): Promise<readonly string[]> => parseMountInfo(await readFile('/proc/self/mountinfo', 'utf8').catch(() => ''));

async function unmountAll(path: string): Promise<void> {
  const ROUNDS_MAX = 4; // One point may be mounted on several times.
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const found = mountsBelow(await readMounts(), path);
    if (found.length === 0) return;
    // Lazily: a process of the host that looks into it must not keep a pod from ending.
    for (const point of found) await run('umount', ['-l', '--', point]);
  }
  const left = mountsBelow(await readMounts(), path);
  if (left.length > 0) throw new Error(`still mounted: ${left.join(', ')}`);
}

const real = (allowed: boolean): Mounts => ({
  allowed,
  async tmpfs(path, { mode, sizeBytes }) {
    const options = [`mode=${mode.toString(8)}`, 'nosuid', 'nodev', ...(sizeBytes === undefined ? [] : [`size=${sizeBytes}`])];
    await run('mount', ['-t', 'tmpfs', '-o', options.join(','), 'tmpfs', path]);
  },
  bind: (source, target) => run('mount', ['--no-canonicalize', '--bind', source, target]),
  isMounted: async (path) => (await readMounts()).includes(path),
  unmountBelow: unmountAll,
});

/**
 * The mounts of this process. Whether it may mount is tried once, on a directory below `directory`.
 * @param onRefused - Told why it may not. Volumes then lie on disk.
 */
export async function openMounts(directory: string, onRefused: (reason: string) => void): Promise<Mounts> {
  if (process.getuid?.() !== 0) {
    onRefused('only root may mount');
    return real(false);
  }
  const probe = join(directory, '.mount-probe');
  try {
    await mkdir(probe, { recursive: true });
    await run('mount', ['-t', 'tmpfs', '-o', 'size=4096', 'tmpfs', probe]);
    await run('umount', [probe]);
    await rm(probe, { recursive: true, force: true });
    return real(true);
  } catch (err) {
    onRefused(messageOf(err));
    return real(false);
  }
}

/**
 * Ends every mount that a kubelet with this root directory has left. For when a cluster is taken down: its kubelets must have ended.
 * @throws {Error} while one is left.
 */
export async function removeKubeletMounts(rootDirectory: string): Promise<void> {
  await unmountAll(rootDirectory);
}
