import { lstat, mkdir, mkdtemp, readFile, realpath, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pod } from '@orrery/api/core/v1';
import { newSeededRandom, newVirtualClock } from '@orrery/base';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newDirectories } from './directories.ts';
import { memorySizeBytes } from './empty-dir.ts';
import { mountsBelow, parseMountInfo } from './mount-info.ts';
import { type Mounts, openMounts, removeKubeletMounts } from './mounts.ts';
import type { SourceInput } from './sources.ts';
import { prepareSubPath } from './sub-path.ts';
import { newVolumeMounter, type VolumeMounter } from './volume-mounter.ts';

describe('mountinfo', () => {
  test('is read with its escapes, and sorted for unmounting', () => {
    const text =
      '22 1 0:20 / / rw - ext4 /dev/a rw\n30 22 0:3 / /a\\040b rw - tmpfs tmpfs rw\n31 30 0:4 / /a\\040b/c rw - tmpfs tmpfs rw\n';
    expect(parseMountInfo(text)).toEqual(['/', '/a b', '/a b/c']);
    expect(mountsBelow(parseMountInfo(text), '/a b/')).toEqual(['/a b/c', '/a b']);
    expect(mountsBelow(['/ab', '/a'], '/a')).toEqual(['/a']);
  });
});

const podOf = (spec: object): Pod =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'default', uid: 'u-1', resourceVersion: '1', creationTimestamp: '' },
    spec: { containers: [], ...spec },
    status: {},
  }) as Pod;

describe('memorySizeBytes', () => {
  const limited = podOf({ containers: [{ name: 'c', resources: { limits: { memory: '8Mi' } } }] });
  const table: readonly (readonly [string, Pod, string | undefined, number, number | undefined])[] = [
    ['its own limit', podOf({ containers: [{ name: 'c' }] }), '1Mi', 2 ** 30, 2 ** 20],
    ["the pod's limit", limited, undefined, 2 ** 30, 8 * 2 ** 20],
    ['the lesser of both', limited, '16Mi', 2 ** 30, 8 * 2 ** 20],
    ["the node's", podOf({ containers: [{ name: 'c' }] }), undefined, 2 ** 30, 2 ** 30],
    ['none', podOf({ containers: [{ name: 'c' }] }), undefined, 0, undefined],
  ];
  for (const [name, pod, sizeLimit, allocatable, bytes] of table) {
    test(name, () => expect(memorySizeBytes(pod, sizeLimit === undefined ? {} : { sizeLimit }, allocatable)).toBe(bytes));
  }
});

let root = '';
let mounts: Mounts;
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'orrery-mounts-')));
  mounts = await openMounts(root, () => {});
});
afterEach(async () => {
  if (mounts.allowed) await removeKubeletMounts(root);
  await rm(root, { recursive: true, force: true });
});

const points = async (): Promise<readonly string[]> => mountsBelow(parseMountInfo(await readFile('/proc/self/mountinfo', 'utf8')), root);
const mounter = (): VolumeMounter =>
  newVolumeMounter({
    directories: newDirectories(root, join(root, 'logs')),
    mounts,
    clock: newVirtualClock(),
    random: newSeededRandom(1),
    claims: { bound: () => Promise.reject(new Error('none')) },
    node: () => undefined,
  });
const inputOf = (spec: object): SourceInput => ({
  pod: podOf(spec),
  facts: { podIps: [], hostIps: [], nodeName: 'n' },
  allocatable: { memory: '64Mi' },
  references: {
    configMap: () => Promise.reject(new Error('no config map')),
    secret: () => Promise.resolve({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, data: { k: 'dg==' } } as never),
  },
  tokens: { token: () => Promise.resolve('t'), forget() {} },
});
const isRoot = process.getuid?.() === 0;

describe.runIf(isRoot)('volumes in memory', () => {
  test('an emptyDir in memory is a tmpfs of its size, kept when it is mounted again, gone with the pod', async (context) => {
    if (!mounts.allowed) context.skip();
    const input = inputOf({ volumes: [{ name: 'm', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } }], securityContext: { fsGroup: 7 } });
    const volumes = mounter();
    const mounted = (await volumes.mount(input)).get('m');
    const path = mounted?.kind === 'path' ? mounted.path : '';
    expect(await points()).toEqual([path]);
    const info = await stat(path);
    expect([info.mode & 0o7777, info.gid]).toEqual([0o2777, 7]);
    await writeFile(join(path, 'f'), 'kept');
    await expect(writeFile(join(path, 'big'), Buffer.alloc(2 ** 21))).rejects.toThrow('ENOSPC');
    await mounter().mount(input); // As after a restart.
    expect(await readFile(join(path, 'f'), 'utf8')).toBe('kept');
    await volumes.remove('u-1');
    expect(await points()).toEqual([]);
    await expect(lstat(path)).rejects.toThrow('ENOENT');
  });

  test('a secret never comes to disk, and has its path as ever', async (context) => {
    if (!mounts.allowed) context.skip();
    const volumes = mounter();
    await volumes.mount(inputOf({ volumes: [{ name: 's', secret: { secretName: 's' } }] }));
    const path = join(root, 'pods/u-1/volumes/kubernetes.io~secret/s');
    expect(await points()).toEqual([join(root, 'memory')]);
    expect(await readFile(join(path, 'k'), 'utf8')).toBe('v');
    expect((await realpath(path)).startsWith(join(root, 'memory/'))).toBe(true);
    await volumes.remove('u-1');
    await expect(lstat(join(root, 'memory/u-1'))).rejects.toThrow('ENOENT');
  });

  test('huge pages are refused', async () => {
    const input = inputOf({ volumes: [{ name: 'h', emptyDir: { medium: 'HugePages-2Mi' } }] });
    await expect(mounter().mount(input)).rejects.toThrow('MountVolume.SetUp failed for volume "h" : storage medium "HugePages-2Mi"');
  });
});

describe.runIf(isRoot)('a sub path', () => {
  test('is the place that was checked, whatever is put there afterwards; unmounting keeps what it shows', async (context) => {
    if (!mounts.allowed) context.skip();
    const volume = join(root, 'host');
    const target = join(root, 'pods/u-1/volume-subpaths/v/c/0');
    await mkdir(join(volume, 'sub'), { recursive: true });
    await writeFile(join(volume, 'sub/f'), 'inside');
    await mkdir(join(root, 'secret'));
    expect(await prepareSubPath({ volume, subPath: 'sub', target }, mounts)).toBe(target);
    await rename(join(volume, 'sub'), join(volume, 'moved'));
    await symlink(join(root, 'secret'), join(volume, 'sub'));
    expect(await readFile(join(target, 'f'), 'utf8')).toBe('inside');
    await expect(prepareSubPath({ volume, subPath: 'sub', target }, mounts)).rejects.toThrow('outside of the volume');
    await mounter().remove('u-1');
    expect(await points()).toEqual([]);
    expect(await readFile(join(volume, 'moved/f'), 'utf8')).toBe('inside');
  });

  test('may be a file', async (context) => {
    if (!mounts.allowed) context.skip();
    const volume = join(root, 'host');
    await mkdir(volume);
    await writeFile(join(volume, 'f'), 'text');
    const target = join(root, 'pods/u-1/volume-subpaths/v/c/1');
    expect(await readFile(await prepareSubPath({ volume, subPath: 'f', target }, mounts), 'utf8')).toBe('text');
    await prepareSubPath({ volume, subPath: 'f', target }, mounts); // The container starts again.
    expect(await points()).toEqual([target]);
  });
});
