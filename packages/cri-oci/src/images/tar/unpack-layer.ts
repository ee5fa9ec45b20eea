import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { lstatSync, readFileSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { sealedStdio } from '@orrery/base';
import { RuntimeError } from '@orrery/cri';
import { decompressed } from './decompress.ts';
import { type DirectoryAttributes, type LayerSummary, newLayerFilter } from './layer-filter.ts';
import { newTarReader } from './tar-reader.ts';

export interface UnpackLimits {
  /** Unpacked bytes of one layer. @default 64 GiB */
  readonly layerBytesMax?: number;
  /** Free bytes that the file system keeps. @default 64 MiB */
  readonly freeBytesMin?: number;
}

export interface UnpackRequest {
  readonly source: AsyncIterable<Buffer>;
  /** Digest of the uncompressed archive, as the image configuration names it. */
  readonly diffId: string;
  /** Empty. */
  readonly directory: string;
  /** Unpacked layers below, topmost first. */
  readonly below: readonly string[];
  readonly limits?: UnpackLimits;
  readonly signal?: AbortSignal | undefined;
}

const mib = 1024 * 1024;
const spaceCheckBytes = 32 * mib;
const extraction = [
  '--extract',
  '--file=-',
  '--numeric-owner',
  '--same-owner',
  '--same-permissions',
  '--absolute-names',
  '--xattrs',
  '--xattrs-include=*',
  '--warning=no-timestamp',
];

/** The attributes of a directory in the topmost layer that has the path. */
function attributesBelow(layers: readonly string[]): (path: string) => DirectoryAttributes | undefined {
  return (path) => {
    for (const layer of layers) {
      const stat = lstatSync(Buffer.from(join(layer, path), 'latin1'), { throwIfNoEntry: false });
      if (stat === undefined) continue;
      return stat.isDirectory() ? { mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid } : undefined;
    }
    return undefined;
  };
}

/** Ids that this process's user namespace has; all of them outside of one. */
function idExists(map: string): (id: number) => boolean {
  const ranges = map
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  return (id) => ranges.some(([from = 0, , length = 0]) => id >= from && id < from + length);
}

/** Whether files may be owned by any id and carry trusted attributes. */
export const isInitialUserNamespace = (): boolean => /^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'utf8'));

function ownership(): ((entry: { uid: number; gid: number }) => { uid: number; gid: number }) | undefined {
  if (isInitialUserNamespace()) return undefined;
  const hasUid = idExists(readFileSync('/proc/self/uid_map', 'utf8'));
  const hasGid = idExists(readFileSync('/proc/self/gid_map', 'utf8'));
  return ({ uid, gid }) => ({ uid: hasUid(uid) ? uid : 0, gid: hasGid(gid) ? gid : 0 });
}

/** Guards the disk while an archive unfolds. */
function newSpaceGuard(
  directory: string,
  { layerBytesMax = 64 * 1024 * mib, freeBytesMin = 64 * mib }: UnpackLimits,
): (bytes: number) => void {
  let total = 0;
  let nextCheck = 0;
  return (bytes) => {
    total += bytes;
    if (total > layerBytesMax) throw new RuntimeError('INVALID_ARGUMENT', `layer unpacks to more than ${layerBytesMax} bytes`);
    if (total < nextCheck) return;
    nextCheck = total + spaceCheckBytes;
    const { bavail, bsize } = statfsSync(directory);
    if (bavail * bsize < freeBytesMin)
      throw new RuntimeError('RESOURCE_EXHAUSTED', `no space left on device: ${directory} has less than ${freeBytesMin} bytes free`);
  };
}

/**
 * Unpacks a layer into an empty directory by the system's GNU tar, which knows devices and extended attributes; what tar gets has been
 * checked entry by entry. On failure the directory holds leavings and is the caller's to delete.
 * @throws {RuntimeError} for a hostile or damaged layer, a wrong digest, or a full disk
 */
export async function unpackLayer({ source, diffId, directory, below, limits = {}, signal }: UnpackRequest): Promise<LayerSummary> {
  signal?.throwIfAborted();
  const tar = spawn('tar', [...extraction, `--directory=${directory}`], {
    stdio: sealedStdio(['pipe', 'ignore', 'pipe']),
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C' },
  });
  const { stdin, stderr } = tar;
  if (stdin === null || stderr === null) throw new RuntimeError('INTERNAL', 'tar was started without pipes');
  let complaint = '';
  stderr.on('data', (text: Buffer) => (complaint = (complaint + text.toString('utf8')).slice(-2000)));
  stdin.on('error', () => undefined); // tar ended early: its exit code and words tell why.
  const exit = new Promise<number>((resolve, reject) => tar.on('error', reject).on('close', (code) => resolve(code ?? 1)));
  exit.catch(() => undefined); // Awaited below, also after a failure here.
  let waitsForDrain = false;
  const filter = newLayerFilter({
    below: attributesBelow(below),
    opaqueXattr: isInitialUserNamespace() ? 'trusted.overlay.opaque' : 'user.overlay.opaque',
    ownerOf: ownership(),
    emit: (chunk) => {
      if (!stdin.write(chunk)) waitsForDrain = true;
    },
  });
  const reader = newTarReader(filter);
  const hash = createHash('sha256');
  const guard = newSpaceGuard(directory, limits);
  try {
    for await (const chunk of decompressed(source)) {
      signal?.throwIfAborted();
      guard(chunk.length);
      hash.update(chunk);
      reader.write(chunk);
      if (waitsForDrain && tar.exitCode === null) await Promise.race([once(stdin, 'drain'), exit]);
      waitsForDrain = false;
      if (tar.exitCode !== null) break;
    }
    if (tar.exitCode === null) reader.end();
    const summary = filter.finish();
    stdin.end();
    const code = await exit;
    if (code !== 0) throw tarFailure(complaint, code);
    const actual = `sha256:${hash.digest('hex')}`;
    if (actual !== diffId) throw new RuntimeError('INVALID_ARGUMENT', `layer has digest ${actual} unpacked, the image says ${diffId}`);
    return summary;
  } catch (err) {
    stdin.destroy();
    tar.kill('SIGKILL');
    await exit.catch(() => undefined);
    throw unpackFailure(err);
  }
}

function tarFailure(complaint: string, code: number): RuntimeError {
  const lines = complaint.trim().split('\n');
  return new RuntimeError(
    /No space left/.test(complaint) ? 'RESOURCE_EXHAUSTED' : 'INTERNAL',
    `tar ended with code ${code}: ${lines[0] ?? ''}`,
  );
}

function unpackFailure(err: unknown): unknown {
  if (!(err instanceof Error) || !('code' in err)) return err;
  if (err.code === 'ENOENT')
    return new RuntimeError('FAILED_PRECONDITION', 'unpacking images needs the program tar (GNU tar)', { cause: err });
  return String(err.code).startsWith('Z_')
    ? new RuntimeError('INVALID_ARGUMENT', `damaged gzip data: ${err.message}`, { cause: err })
    : err;
}
