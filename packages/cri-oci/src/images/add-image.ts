import { anySignal } from '@orrery/base';
import { RuntimeError } from '@orrery/cri';
import type { ContentSource } from './content-source.ts';
import { type ImageIndex, withImage } from './image-index.ts';
import type { ImageRecord } from './image-record.ts';
import { chainIdsOf, type Layer, type LayerStore, type UnpackedLayer } from './layer-store.ts';
import { type Descriptor, type Manifest, parseImageFile } from './manifest.ts';
import { readAhead } from './read-ahead.ts';
import { readOn } from './read-on.ts';
import type { StoreLock } from './store-lock.ts';

export interface AddedNames {
  readonly repoTags: readonly string[];
  readonly repoDigests: readonly string[];
}

export interface ImageAdder {
  /** Unpacks what is missing of an image and makes it known by `names`. */
  add(manifest: Manifest, source: ContentSource, names: AddedNames, signal?: AbortSignal): Promise<ImageRecord>;
}

/** That damaged bytes are not those of the digest says more than where unpacking stumbled over them. */
async function unpackVerified(
  content: AsyncIterable<Buffer>,
  unpack: (chunks: AsyncIterable<Buffer>) => Promise<UnpackedLayer>,
): Promise<UnpackedLayer> {
  const layer = readOn(content);
  try {
    return await unpack(layer.chunks);
  } catch (err) {
    if (!isDamage(err)) throw err;
    const verdict = await layer.rest(verifiedBytesMax).catch((found: unknown) => found);
    throw isDamage(verdict) ? verdict : err;
  } finally {
    await layer.close();
  }
}

const isDamage = (err: unknown): boolean => err instanceof RuntimeError && err.code === 'INVALID_ARGUMENT';
const verifiedBytesMax = 64 * 1024 * 1024; // Read of a layer that cannot be used, for the sake of its message.
const downloadsMax = 3; // At once, of one image. As containerd's max_concurrent_downloads.
const aheadBytesMax = 16 * 1024 * 1024; // In memory, for each.
const attemptsMax = 3; // Each lost only to somebody who removed the image's layers meanwhile.

export function newImageAdder(deps: { readonly layers: LayerStore; readonly index: ImageIndex; readonly lock: StoreLock }): ImageAdder {
  const { layers, index, lock } = deps;
  const building = new Map<string, Promise<Layer>>(); // By chain id: who needs the same layer waits for the one that unpacks it.

  async function build(
    chainIds: readonly string[],
    diffIds: readonly string[],
    manifest: Manifest,
    source: ContentSource,
    signal: AbortSignal,
  ): Promise<void> {
    const below: Layer[] = [];
    const ahead = new Map<number, AsyncIterableIterator<Buffer>>(); // By place: layers that come in while one below is unpacked.
    try {
      for (const [at, chainId] of chainIds.entries()) {
        for (let next = at + 1; next < at + downloadsMax; next += 1) begin(next);
        const present = layers.find(chainId) ?? (await building.get(chainId)?.catch(() => undefined));
        below.push(present ?? (await buildOne(at, chainId)));
      }
    } finally {
      for (const content of ahead.values()) void content.return?.().catch(() => undefined); // Unwanted now, and so is why it failed.
    }

    function begin(at: number): void {
      const [chainId, descriptor] = [chainIds[at], manifest.layers[at]];
      if (chainId === undefined || descriptor === undefined || ahead.has(at) || building.has(chainId) || layers.find(chainId) !== undefined)
        return;
      ahead.set(at, readAhead(source.layer(descriptor, signal), aheadBytesMax));
    }

    function contentOf(at: number, descriptor: Descriptor): AsyncIterable<Buffer> {
      const begun = ahead.get(at);
      ahead.delete(at);
      return begun ?? source.layer(descriptor, signal);
    }

    async function buildOne(at: number, chainId: string): Promise<Layer> {
      const descriptor = manifest.layers[at];
      const diffId = diffIds[at];
      if (descriptor === undefined || diffId === undefined)
        throw new RuntimeError('INVALID_ARGUMENT', 'invalid image: layers and diff_ids differ in number');
      const made = (async () => {
        const unpacked = await unpackVerified(contentOf(at, descriptor), (chunks) =>
          layers.unpack({ chainId, diffId, below: [...below], source: chunks, signal }),
        );
        const [layer] = await lock.run(() => layers.publish([unpacked]));
        return layer ?? unpacked;
      })();
      building.set(chainId, made);
      return made.finally(() => building.delete(chainId));
    }
  }

  return {
    async add(manifest, source, names, outer) {
      const abort = new AbortController();
      const derived = anySignal(abort.signal, outer);
      try {
        const bytes = await source.document(manifest.config, derived.signal);
        const { config, diffIds } = parseImageFile(bytes);
        if (diffIds.length !== manifest.layers.length)
          throw new RuntimeError('INVALID_ARGUMENT', 'invalid image: layers and diff_ids differ in number');
        const chainIds = chainIdsOf(diffIds);
        for (let attempt = 1; attempt <= attemptsMax; attempt++) {
          await build(chainIds, diffIds, manifest, source, derived.signal);
          const record = await lock.run(() => {
            const stack = chainIds.map((id) => layers.find(id));
            if (stack.includes(undefined)) return undefined;
            const sizeBytes = stack.reduce((sum, layer) => sum + (layer?.sizeBytes ?? 0), bytes.length);
            const added: ImageRecord = { id: manifest.config.digest, ...names, sizeBytes, config, layers: chainIds, pinned: false };
            index.write(withImage(index.read(), added));
            return index.read().get(added.id);
          });
          if (record !== undefined) return record;
        }
        throw new RuntimeError('UNAVAILABLE', 'the layers of the image were removed while it was added');
      } finally {
        abort.abort();
        derived[Symbol.dispose]();
      }
    },
  };
}
