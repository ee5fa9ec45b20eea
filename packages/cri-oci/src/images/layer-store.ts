import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Random } from '@orrery/base';
import { readJsonFile, replaceFile } from './files.ts';
import { isAlive, ownIdentity } from './process-identity.ts';
import { type UnpackLimits, unpackLayer } from './tar/unpack-layer.ts';

/** An unpacked layer on top of those that it was unpacked on. */
export interface Layer {
  /** A short name below the folder of layers: many have to fit the one page of mount options. */
  readonly directory: string;
  readonly sizeBytes: number;
  readonly inodes: number;
}

/** The unpacked layers of all images, by chain id. What is there is complete. */
export interface LayerStore {
  readonly directory: string;
  find(chainId: string): Layer | undefined;
  /** Unpacks on top of `below` (lowest first; all present). Resolves with what is to be published. */
  unpack(request: {
    chainId: string;
    diffId: string;
    below: readonly Layer[];
    source: AsyncIterable<Buffer>;
    signal?: AbortSignal | undefined;
  }): Promise<UnpackedLayer>;
  /** Makes unpacked layers durable and known. Under the store's lock. */
  publish(layers: readonly UnpackedLayer[]): Promise<readonly Layer[]>;
  /** Deletes the layers outside `keep`, unless `isUsed` says otherwise after they are out of sight. Under the store's lock. */
  sweep(keep: ReadonlySet<string>, isUsed: (directory: string) => boolean): Promise<void>;
  list(): readonly (readonly [string, Layer])[];
}

export interface UnpackedLayer extends Layer {
  readonly chainId: string;
  /** Where it lies until published. */
  readonly path: string;
}

const run = promisify(execFile);

/** Chain ids of a stack: each names its layer and all below. Source: image specification, "Layer ChainID". */
export function chainIdsOf(diffIds: readonly string[]): string[] {
  const chain: string[] = [];
  for (const diffId of diffIds) {
    const parent = chain.at(-1);
    chain.push(parent === undefined ? diffId : `sha256:${createHash('sha256').update(`${parent} ${diffId}`).digest('hex')}`);
  }
  return chain;
}

export function newLayerStore(root: string, random: Random, limits?: UnpackLimits): LayerStore {
  const directory = join(root, 'layers');
  const chains = join(root, 'chains');
  const ingest = join(root, 'ingest');
  for (const path of [directory, chains, ingest]) mkdirSync(path, { recursive: true, mode: 0o700 });
  const recordOf = (chainId: string): string => join(chains, `${chainId.replace(/^sha256:/, '')}.json`);
  const token = (): string =>
    Array.from(random.bytes(4), (byte) => (byte % 36).toString(36)).join('') + random.integer(36 ** 3).toString(36);
  const { pid, startTicks, bootId } = ownIdentity();

  const find = (chainId: string): Layer | undefined => readJsonFile<Layer>(recordOf(chainId));

  function list(): (readonly [string, Layer])[] {
    const ids = readdirSync(chains)
      .filter((name) => name.endsWith('.json'))
      .map((name) => `sha256:${name.slice(0, -5)}`);
    return ids.flatMap((id) => {
      const layer = find(id);
      return layer === undefined ? [] : [[id, layer] as const];
    });
  }

  async function sweepIngest(): Promise<void> {
    for (const name of readdirSync(ingest)) {
      const [owner, ticks, ...boot] = name.split('-');
      if (!isAlive({ pid: Number(owner), startTicks: ticks ?? '', bootId: boot.slice(0, -1).join('-') }))
        await rm(join(ingest, name), { recursive: true, force: true });
    }
  }

  return {
    directory,
    find,
    list,
    async unpack({ chainId, diffId, below, source, signal }) {
      const path = join(ingest, `${pid}-${startTicks}-${bootId}-${token()}`);
      mkdirSync(path, { mode: 0o755 });
      try {
        const stack = below.map((layer) => ('path' in layer ? String(layer.path) : join(directory, layer.directory))).reverse();
        const summary = await unpackLayer({
          source,
          diffId,
          directory: path,
          below: stack,
          signal,
          ...(limits === undefined ? {} : { limits }),
        });
        return { ...summary, chainId, path, directory: token() };
      } catch (err) {
        await rm(path, { recursive: true, force: true });
        throw err;
      }
    },
    async publish(layers) {
      const [first] = layers;
      if (first !== undefined) await run('sync', ['--file-system', first.path]); // Before the first record: what is known is on disk.
      return Promise.all(
        layers.map(async ({ chainId, path, directory: name, sizeBytes, inodes }) => {
          const present = find(chainId);
          if (present !== undefined) {
            await rm(path, { recursive: true, force: true });
            return present;
          }
          const layer = { directory: name, sizeBytes, inodes };
          renameSync(path, join(directory, name));
          replaceFile(recordOf(chainId), JSON.stringify(layer), { durable: true });
          return layer;
        }),
      );
    },
    async sweep(keep, isUsed) {
      await sweepIngest();
      const known = new Set<string>();
      const trash = join(ingest, `${pid}-${startTicks}-${bootId}-${token()}`);
      mkdirSync(trash);
      for (const [chainId, layer] of list()) {
        if (keep.has(chainId) || isUsed(layer.directory)) {
          known.add(layer.directory);
          continue;
        }
        renameSync(recordOf(chainId), join(trash, 'record'));
        if (!isUsed(layer.directory)) continue; // Nobody can begin to use it now.
        renameSync(join(trash, 'record'), recordOf(chainId));
        known.add(layer.directory);
      }
      for (const name of readdirSync(directory))
        if (!known.has(name) && name !== emptyLayer) renameSync(join(directory, name), join(trash, name));
      await rm(trash, { recursive: true, force: true });
      if (!existsSync(join(directory, emptyLayer))) mkdirSync(join(directory, emptyLayer), { mode: 0o755 });
    },
  };
}

/** Below images that have no layer: overlayfs wants one. */
export const emptyLayer = 'empty';
