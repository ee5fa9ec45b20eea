import { type Clock, sharedSignal } from '@orrery/base';
import type { Image, Runtime } from '@orrery/cri';
import type { ImageRecord } from './image-record.ts';
import type { ImageStore } from './image-store.ts';

type ImageCalls = 'listImages' | 'imageStatus' | 'pullImage' | 'removeImage' | 'imageFsInfo';
const nanosecondsPerMs = 1e6;

/** CRI's image calls over an image store. */
export function newImageService(store: ImageStore, clock: Clock): Pick<Runtime, ImageCalls> {
  return {
    async listImages({ filter }) {
      const name = filter?.image?.image ?? '';
      const found = name === '' ? store.list() : [store.resolve(name)];
      return { images: found.flatMap((image) => (image === undefined ? [] : [criImage(image)])) };
    },
    async imageStatus({ image }) {
      const found = store.resolve(image?.image ?? '');
      return found === undefined ? {} : { image: criImage(found) };
    },
    async pullImage({ image, auth, sandboxConfig }, signal) {
      const shared = signal === undefined ? undefined : sharedSignal(signal);
      const { id } = await store.pull({ reference: image?.image ?? '', auth, sandbox: sandboxConfig, signal: shared });
      return { imageRef: id };
    },
    async removeImage({ image }) {
      await store.remove(image?.image ?? '');
      return {};
    },
    async imageFsInfo() {
      const { mountpoint, usedBytes, inodesUsed } = await store.fsInfo();
      const usage = {
        timestamp: clock.now() * nanosecondsPerMs,
        fsId: { mountpoint },
        usedBytes: { value: usedBytes },
        inodesUsed: { value: inodesUsed },
      };
      return { imageFilesystems: [usage], containerFilesystems: [usage] };
    },
  };
}

/** An image as CRI shows it. A user that is a number is the uid, which `runAsNonRoot` is checked by. */
export function criImage({ id, repoTags, repoDigests, sizeBytes, config, pinned }: ImageRecord): Image {
  const user = (config.User ?? '').split(':')[0] ?? '';
  const owner = user === '' ? { uid: { value: 0 } } : /^\d+$/.test(user) ? { uid: { value: Number(user) } } : { username: user };
  return { id, repoTags, repoDigests, size: sizeBytes, pinned, spec: { image: id }, ...owner };
}
