import { createHash } from 'node:crypto';
import { statfs } from 'node:fs/promises';
import type { Clock } from '@orrery/base';
import type { Image, Runtime } from '@orrery/cri';
import { NANOSECONDS_PER_MS } from './events.ts';

type ImageCalls = 'listImages' | 'imageStatus' | 'pullImage' | 'removeImage' | 'imageFsInfo';

/** Plain processes need no images: every name counts as pulled once it was asked for. What runs in its place is decided when the container is created. */
export function newImages({ directory, clock }: { readonly directory: string; readonly clock: Clock }): Pick<Runtime, ImageCalls> {
  const pulled = new Map<string, Image>();
  const imageOf = (name: string): Image => {
    const id = `sha256:${createHash('sha256').update(name).digest('hex')}`;
    return { id, repoTags: [name], repoDigests: [], size: 0, spec: { image: name } };
  };
  return {
    async listImages({ filter }) {
      const name = filter?.image?.image;
      return { images: [...pulled.values()].filter((image) => name === undefined || name === '' || image.spec?.image === name) };
    },
    async imageStatus({ image }) {
      const found = pulled.get(image?.image ?? '') ?? [...pulled.values()].find(({ id }) => id === image?.image);
      return found === undefined ? {} : { image: found };
    },
    async pullImage({ image }) {
      const name = image?.image ?? '';
      const entry = imageOf(name);
      pulled.set(name, entry);
      return { imageRef: entry.id ?? '' };
    },
    async removeImage({ image }) {
      pulled.delete(image?.image ?? '');
      return {};
    },
    async imageFsInfo() {
      const { bsize, blocks, bfree, files, ffree } = await statfs(directory);
      const timestamp = clock.now() * NANOSECONDS_PER_MS;
      const usage = {
        timestamp,
        fsId: { mountpoint: directory },
        usedBytes: { value: (blocks - bfree) * bsize },
        inodesUsed: { value: files - ffree },
      };
      return { imageFilesystems: [usage], containerFilesystems: [usage] };
    },
  };
}
