import { statSync } from 'node:fs';
import { join } from 'node:path';
import { readJsonFile, replaceFile } from './files.ts';
import type { ImageRecord } from './image-record.ts';

/** Which images there are, in one file that is replaced as a whole. Writers hold the store's lock. */
export interface ImageIndex {
  /** As the file says now, whoever wrote it. */
  read(): ReadonlyMap<string, ImageRecord>;
  write(images: ReadonlyMap<string, ImageRecord>): void;
}

export function newImageIndex(root: string): ImageIndex {
  const path = join(root, 'images.json');
  let seen = ''; // Identity of the file that `images` was read from.
  let images: ReadonlyMap<string, ImageRecord> = new Map();
  const identity = (): string => {
    const stat = statSync(path, { throwIfNoEntry: false, bigint: true });
    return stat === undefined ? '' : `${stat.ino}:${stat.mtimeNs}:${stat.size}`;
  };
  return {
    read() {
      const current = identity();
      if (current === seen) return images;
      const records = readJsonFile<{ readonly images: readonly ImageRecord[] }>(path)?.images ?? [];
      images = new Map(records.map((record) => [record.id, record]));
      seen = current;
      return images;
    },
    write(next) {
      const sorted = [...next.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
      replaceFile(path, JSON.stringify({ version: 1, images: sorted }), { durable: true });
    },
  };
}

/** Gives `names` to the image: a tag that another image had leaves it, and an image without names goes. */
export function withImage(images: ReadonlyMap<string, ImageRecord>, added: ImageRecord): Map<string, ImageRecord> {
  const next = new Map<string, ImageRecord>();
  for (const image of images.values()) {
    if (image.id === added.id) continue;
    const repoTags = image.repoTags.filter((tag) => !added.repoTags.includes(tag));
    next.set(image.id, repoTags.length === image.repoTags.length ? image : { ...image, repoTags });
  }
  const before = images.get(added.id);
  const union = (a: readonly string[] = [], b: readonly string[] = []): string[] => [...new Set([...a, ...b])];
  const record = {
    ...added,
    repoTags: union(before?.repoTags, added.repoTags),
    repoDigests: union(before?.repoDigests, added.repoDigests),
  };
  next.set(added.id, { ...record, pinned: before?.pinned === true || added.pinned });
  return next;
}
