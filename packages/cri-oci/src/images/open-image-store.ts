import { createReadStream, createWriteStream, mkdirSync, readdirSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isRuntimeError, RuntimeError } from '@orrery/cri';
import { type AddedNames, newImageAdder } from './add-image.ts';
import { type ArchiveFiles, archivedImages, directoryFiles, tarFiles } from './archive-source.ts';
import { temporaryName } from './files.ts';
import { newImageIndex } from './image-index.ts';
import type { ImageRecord } from './image-record.ts';
import type { ImageStore, ImageStoreOptions, LoadOptions, PullRequest } from './image-store.ts';
import { newLayerStore } from './layer-store.ts';
import { chooseFromIndex, parseDocument, parseManifest } from './manifest.ts';
import { hostPlatform } from './platform.ts';
import { formatReference, type ImageReference, parseReference, repositoryOf } from './reference.ts';
import { newRepository } from './registry-client.ts';
import { newSnapshotStore } from './snapshot-store.ts';
import { newStoreLock } from './store-lock.ts';
import { decompressed } from './tar/decompress.ts';

const indexDepthMax = 3;

/** Opens, or makes, the images of a node; what a crash left half made is deleted. */
export async function openImageStore(options: ImageStoreOptions): Promise<ImageStore> {
  const { directory, clock, random } = options;
  mkdirSync(directory, { recursive: true, mode: 0o711 });
  const lock = newStoreLock(join(directory, 'locks'), clock);
  const index = newImageIndex(directory);
  const layers = newLayerStore(directory, random);
  const snapshots = newSnapshotStore(directory, layers, random);
  const adder = newImageAdder({ layers, index, lock });

  const sweep = (): Promise<void> =>
    layers.sweep(new Set([...index.read().values()].flatMap((image) => image.layers)), (layer) => snapshots.usedLayers().has(layer));
  await lock.run(sweep);
  return newImageStore(options, { index, layers, snapshots, adder, lock, sweep });
}

interface Parts {
  readonly index: ReturnType<typeof newImageIndex>;
  readonly layers: ReturnType<typeof newLayerStore>;
  readonly snapshots: ReturnType<typeof newSnapshotStore>;
  readonly adder: ReturnType<typeof newImageAdder>;
  readonly lock: ReturnType<typeof newStoreLock>;
  /** Deletes layers that no image and no snapshot uses. The lock must be held. */
  sweep(): Promise<void>;
}

function newImageStore(options: ImageStoreOptions, { index, layers, snapshots, adder, lock, sweep }: Parts): ImageStore {
  const { directory, clock, registries, platform = hostPlatform() } = options;

  function resolve(text: string): ImageRecord | undefined {
    const images = index.read();
    const byId = images.get(text) ?? images.get(`sha256:${text}`);
    if (byId !== undefined) return byId;
    const all = [...images.values()];
    if (/^(sha256:)?[0-9a-f]{12,64}$/.test(text)) {
      const found = all.filter(
        ({ id, repoDigests }) =>
          id.startsWith(`sha256:${text.replace('sha256:', '')}`) || repoDigests.some((name) => name.endsWith(`@${text}`)),
      );
      if (found.length === 1) return found[0];
    }
    const name = nameOf(text);
    return name === undefined ? undefined : all.find(({ repoTags, repoDigests }) => repoTags.includes(name) || repoDigests.includes(name));
  }

  async function pull({ reference: text, auth, signal, onProgress }: PullRequest): Promise<ImageRecord> {
    const reference = parseReference(text);
    const repository = newRepository(reference, auth, { clock, registries });
    try {
      const top = await repository.manifest(reference.digest ?? reference.tag ?? 'latest', signal);
      let document = parseDocument(top.bytes, 'manifest');
      for (let depth = 0; depth < indexDepthMax; depth++) {
        const chosen = chooseFromIndex(document, platform);
        if (chosen === undefined) break;
        document = parseDocument((await repository.manifest(chosen.digest, signal)).bytes, 'manifest');
      }
      const manifest = parseManifest(document);
      const bytesTotal = manifest.layers.reduce((sum, { size }) => sum + size, 0);
      let bytesDone = 0;
      const counted = {
        document: repository.document,
        layer: async function* (...args: Parameters<typeof repository.layer>): AsyncGenerator<Buffer> {
          for await (const chunk of repository.layer(...args)) {
            bytesDone += chunk.length;
            onProgress?.({ bytesDone, bytesTotal });
            yield chunk;
          }
        },
      };
      return await adder.add(manifest, counted, namesOf(reference, top.digest), signal);
    } catch (err) {
      signal?.throwIfAborted();
      if (!isRuntimeError(err)) throw err;
      throw new RuntimeError(err.code, `failed to pull and unpack image "${formatReference(reference)}": ${err.message}`, { cause: err });
    }
  }

  async function loadFiles(files: ArchiveFiles, { references, signal }: LoadOptions): Promise<readonly ImageRecord[]> {
    const images = await archivedImages(files, platform);
    if (references !== undefined && images.length !== 1)
      throw new RuntimeError('INVALID_ARGUMENT', `names can be given to an archive of one image; this one has ${images.length}`);
    const added: ImageRecord[] = [];
    for (const { manifest, source, names, digest } of images) {
      const parsed = (references ?? names).map(parseReference);
      const repoDigests = digest === undefined ? [] : parsed.map((name) => `${repositoryOf(name)}@${digest}`);
      added.push(await adder.add(manifest, source, { repoTags: parsed.map(formatReference), repoDigests }, signal));
    }
    return added;
  }

  async function load(source: Readable | string, loadOptions: LoadOptions = {}): Promise<readonly ImageRecord[]> {
    if (typeof source === 'string' && statSync(source).isDirectory()) {
      const names = readdirSync(source, { recursive: true, encoding: 'utf8' });
      return loadFiles(directoryFiles(source, new Set(names)), loadOptions);
    }
    const spool = temporaryName(join(directory, 'archive'));
    try {
      const input = typeof source === 'string' ? createReadStream(source) : source;
      await pipeline(decompressed(input), createWriteStream(spool, { mode: 0o600 }));
      return await loadFiles(await tarFiles(spool), loadOptions);
    } finally {
      await rm(spool, { force: true });
    }
  }

  return {
    notes: [],
    resolve,
    list: () => [...index.read().values()],
    pull,
    load,
    remove: (text) =>
      lock.run(async () => {
        const image = resolve(text);
        if (image === undefined) return;
        const name = nameOf(text);
        const left = {
          ...image,
          repoTags: image.repoTags.filter((tag) => tag !== name),
          repoDigests: image.repoDigests.filter((digest) => digest !== name),
        };
        const isName = left.repoTags.length < image.repoTags.length || left.repoDigests.length < image.repoDigests.length;
        const next = new Map(index.read());
        if (isName && left.repoTags.length > 0) next.set(image.id, left);
        else next.delete(image.id);
        index.write(next);
        await sweep();
      }),
    pin: (text, pinned) =>
      lock.run(() => {
        const image = resolve(text);
        if (image === undefined) throw new RuntimeError('NOT_FOUND', `image ${text} not found`);
        index.write(new Map([...index.read(), [image.id, { ...image, pinned }]]));
      }),
    async fsInfo() {
      const all = layers.list();
      return {
        mountpoint: directory,
        usedBytes: all.reduce((sum, [, layer]) => sum + layer.sizeBytes, 0),
        inodesUsed: all.reduce((sum, [, layer]) => sum + layer.inodes, 0),
      };
    },
    async snapshot(id, image, snapshotOptions = {}) {
      return await snapshots.prepare(id, image.layers, snapshotOptions);
    },
    releaseSnapshot: (id) => snapshots.release(id),
    snapshotUsage: (id) => snapshots.usage(id),
    async retain(ids) {
      for (const id of snapshots.ids()) if (!ids.has(id)) await snapshots.release(id);
    },
    async close() {
      await snapshots.settled();
    },
  };
}

function nameOf(text: string): string | undefined {
  try {
    return formatReference(parseReference(text));
  } catch (err) {
    if (isRuntimeError(err)) return undefined;
    throw err;
  }
}

function namesOf(reference: ImageReference, digest: string): AddedNames {
  return {
    repoTags: reference.digest === undefined ? [formatReference(reference)] : [],
    repoDigests: [`${repositoryOf(reference)}@${digest}`],
  };
}
