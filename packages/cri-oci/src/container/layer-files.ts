import { lstat, readFile, realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { ContainerSnapshot } from '../images/snapshots.ts';

const SIZE_BYTES_MAX = 1024 * 1024; // A file of users larger than that is not read.

/** The directories an overlay is made of, the one that wins first. */
export function layersOf({ mount, rootfs }: Pick<ContainerSnapshot, 'mount' | 'rootfs'>): readonly string[] {
  if (mount.type === 'bind') return [resolve(mount.directory, mount.source)];
  const option = (name: string): readonly string[] => {
    const found = mount.options.split(',').find((text) => text.startsWith(`${name}=`));
    return found === undefined ? [] : found.slice(name.length + 1).split(':');
  };
  const layers = [...option('upperdir'), ...option('lowerdir')].filter((path) => path !== '');
  return (layers.length > 0 ? layers : [rootfs]).map((path) => resolve(mount.directory, path));
}

/**
 * A small file as the container will see it, without mounting its root: that of the highest layer. Empty when there is none.
 * A link that leads out of its layer is none of the image's and is not followed.
 */
export async function readLayerFile(snapshot: Pick<ContainerSnapshot, 'mount' | 'rootfs'>, path: string): Promise<string> {
  for (const layer of layersOf(snapshot)) {
    const place = join(layer, path);
    const found = await lstat(place).catch(() => undefined);
    if (found === undefined) continue;
    if (found.isCharacterDevice()) return ''; // A whiteout: removed in this layer.
    const real = await realpath(place).catch(() => undefined);
    const top = await realpath(layer);
    if (real === undefined || !real.startsWith(`${top}/`)) return '';
    const { size } = await lstat(real);
    return size > SIZE_BYTES_MAX ? '' : readFile(real, 'utf8').catch(() => '');
  }
  return '';
}
