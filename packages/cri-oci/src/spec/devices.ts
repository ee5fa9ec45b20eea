import { lstat, readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Device, RuntimeError } from '@orrery/cri';
import type { OciDevice, OciDeviceRule } from './oci.ts';

export interface ContainerDevices {
  readonly devices: readonly OciDevice[];
  readonly rules: readonly OciDeviceRule[];
}

const allowed = (type: 'c' | 'b', major?: number, minor?: number, access = 'rwm'): OciDeviceRule => ({
  allow: true,
  type,
  ...(major === undefined ? {} : { major }),
  ...(minor === undefined ? {} : { minor }),
  access,
});

/** Everything may make device nodes and none works, but null, zero, full, random, urandom, tty, console and pseudo terminals. */
const defaultRules: readonly OciDeviceRule[] = [
  { allow: false, access: 'rwm' },
  allowed('c', undefined, undefined, 'm'),
  allowed('b', undefined, undefined, 'm'),
  ...(
    [
      [1, 3],
      [1, 5],
      [1, 7],
      [1, 8],
      [1, 9],
      [5, 0],
      [5, 1],
      [5, 2],
    ] as const
  ).map(([major, minor]) => allowed('c', major, minor)),
  allowed('c', 136),
];

// As the kernel packs dev_t for user space (sysmacros.h), within the 32 bits that exist.
const majorOf = (dev: number): number => Math.floor(dev / 256) & 0xfff;
const minorOf = (dev: number): number => (dev & 0xff) | (Math.floor(dev / 4096) & 0xfff00);

/** @returns undefined when the path is no device. */
async function readDevice(hostPath: string, containerPath: string): Promise<OciDevice | undefined> {
  const found = await stat(hostPath);
  const type = found.isCharacterDevice() ? 'c' : found.isBlockDevice() ? 'b' : undefined;
  if (type === undefined) return undefined;
  return {
    type,
    path: containerPath,
    major: majorOf(found.rdev),
    minor: minorOf(found.rdev),
    fileMode: found.mode & 0o7777,
    uid: found.uid,
    gid: found.gid,
  };
}

// Made by the runtime itself, or of a file system that each container has its own of.
const skipped = /^\/dev\/(pts|shm|fd|mqueue|console|null|zero|full|random|urandom|tty|ptmx|core|stdin|stdout|stderr|log)(\/|$)/;

async function devicesBelow(directory: string): Promise<readonly OciDevice[]> {
  const names = await readdir(directory).catch(() => []);
  const found = await Promise.all(
    names.map(async (name): Promise<readonly OciDevice[]> => {
      const path = join(directory, name);
      if (skipped.test(path)) return [];
      const entry = await lstat(path).catch(() => undefined);
      if (entry?.isDirectory() === true) return devicesBelow(path);
      if (entry === undefined || entry.isSymbolicLink()) return [];
      const device = await readDevice(path, path).catch(() => undefined);
      return device === undefined ? [] : [device];
    }),
  );
  return found.flat();
}

/** @throws {RuntimeError} `INVALID_ARGUMENT` when a device that the pod asks for does not exist. */
export async function containerDevices(wanted: readonly Device[], privileged: boolean): Promise<ContainerDevices> {
  if (privileged) return { devices: await devicesBelow('/dev'), rules: [{ allow: true, access: 'rwm' }] };
  const found = await Promise.all(wanted.map(async (device) => ({ device, nodes: await wantedNodes(device) })));
  return {
    devices: found.flatMap(({ nodes }) => nodes),
    rules: [
      ...defaultRules,
      ...found.flatMap(({ device: { permissions = 'rwm' }, nodes }) =>
        nodes.flatMap(({ type, major, minor }) => (type === 'p' ? [] : [allowed(type, major, minor, permissions || 'rwm')])),
      ),
    ],
  };
}

async function wantedNodes({ hostPath = '', containerPath = '' }: Device): Promise<readonly OciDevice[]> {
  const path = await realpath(hostPath).catch((cause: unknown) => {
    throw new RuntimeError('INVALID_ARGUMENT', `device ${hostPath}: no such file or directory`, { cause });
  });
  if ((await stat(path)).isDirectory()) {
    const below = await devicesBelow(path);
    return below.map((device) => ({ ...device, path: join(containerPath || hostPath, device.path.slice(path.length)) }));
  }
  const device = await readDevice(path, containerPath || hostPath);
  if (device === undefined) throw new RuntimeError('INVALID_ARGUMENT', `${hostPath} is not a device`);
  return [device];
}
