import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RuntimeError } from '@orrery/cri';
import type { ContentSource } from './content-source.ts';
import { chooseFromIndex, type Descriptor, type Manifest, parseDocument, parseImageFile, parseManifest } from './manifest.ts';
import type { Platform } from './platform.ts';
import { newTarReader } from './tar/tar-reader.ts';

/** Files of an archive by their names. */
export interface ArchiveFiles {
  has(name: string): boolean;
  read(name: string): Promise<Buffer>;
  stream(name: string): AsyncIterable<Buffer>;
}

export interface ArchivedImage {
  readonly manifest: Manifest;
  readonly digest: string | undefined;
  readonly names: readonly string[];
  readonly source: ContentSource;
}

const documentBytesMax = 4 * 1024 * 1024;

export function directoryFiles(root: string, names: ReadonlySet<string>): ArchiveFiles {
  return {
    has: (name) => names.has(name),
    read: (name) => readFile(join(root, name)),
    stream: (name) => createReadStream(join(root, name)),
  };
}

/** The files of an uncompressed tar, read where they lie. */
export async function tarFiles(path: string): Promise<ArchiveFiles> {
  const places = new Map<string, { start: number; size: number }>();
  const file = await open(path, 'r');
  let links: [string, string][] = [];
  try {
    const { size: total } = await file.stat();
    const block = Buffer.alloc(1024 * 1024);
    for (let at = 0; at < total; ) at = await readEntry(at);
    async function readEntry(at: number): Promise<number> {
      let position = at;
      let found: { name: string; size: number } | undefined;
      const reader = newTarReader({
        entry: (entry) => {
          found = { name: entry.name.replace(/^(\.\/)+/, ''), size: entry.size };
          if (entry.type === 'symlink' || entry.type === 'hardlink') links.push([found.name, entry.linkName]);
        },
        data: () => undefined,
        entryEnd: () => undefined,
      });
      while (found === undefined && position < total) {
        const { bytesRead } = await file.read(block, 0, 512, position);
        if (bytesRead < 512) return total;
        position += 512;
        reader.write(Buffer.from(block.subarray(0, 512)));
      }
      if (found === undefined) return total;
      const { name, size } = found as { name: string; size: number };
      places.set(name, { start: position, size });
      return position + Math.ceil(size / 512) * 512;
    }
  } finally {
    await file.close();
  }
  for (const [name, target] of links) {
    const place = places.get(join(name, '..', target)) ?? places.get(target);
    if (place !== undefined) places.set(name, place);
  }
  links = [];
  const stream = (name: string): AsyncIterable<Buffer> => {
    const place = places.get(name);
    if (place === undefined) throw new RuntimeError('INVALID_ARGUMENT', `archive has no file ${name}`);
    return place.size === 0
      ? (async function* () {})()
      : createReadStream(path, { start: place.start, end: place.start + place.size - 1, highWaterMark: 256 * 1024 });
  };
  return {
    has: (name) => places.has(name),
    stream,
    async read(name) {
      if ((places.get(name)?.size ?? 0) > documentBytesMax)
        throw new RuntimeError('INVALID_ARGUMENT', `${name} in the archive is larger than ${documentBytesMax} bytes`);
      const parts: Buffer[] = [];
      for await (const part of stream(name)) parts.push(part);
      return Buffer.concat(parts);
    },
  };
}

const blobPath = (digest: string): string => `blobs/${digest.replace(':', '/')}`;
const sha256 = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

async function verifiedBlob(files: ArchiveFiles, digest: string): Promise<Buffer> {
  const bytes = await files.read(blobPath(digest));
  if (sha256(bytes) !== digest)
    throw new RuntimeError('INVALID_ARGUMENT', `archive: failed to verify ${digest}: the content has ${sha256(bytes)}`);
  return bytes;
}

async function ociImages(files: ArchiveFiles, platform: Platform): Promise<ArchivedImage[]> {
  const index = parseDocument(await files.read('index.json'), 'index');
  const entries = Array.isArray(index['manifests'])
    ? (index['manifests'] as { digest: string; annotations?: Record<string, string> }[])
    : [];
  const source: ContentSource = {
    document: ({ digest }) => verifiedBlob(files, digest),
    layer: ({ digest }) => files.stream(blobPath(digest)),
  };
  return Promise.all(
    entries.map(async ({ digest, annotations = {} }) => {
      let document = parseDocument(await verifiedBlob(files, digest), 'manifest');
      for (let depth = 0; depth < 3; depth++) {
        const chosen = chooseFromIndex(document, platform);
        if (chosen === undefined) break;
        document = parseDocument(await verifiedBlob(files, chosen.digest), 'manifest');
      }
      const name = annotations['io.containerd.image.name'] ?? annotations['org.opencontainers.image.ref.name'];
      return { manifest: parseManifest(document), digest, names: name === undefined ? [] : [name], source };
    }),
  );
}

async function dockerImages(files: ArchiveFiles): Promise<ArchivedImage[]> {
  const list = JSON.parse((await files.read('manifest.json')).toString('utf8')) as {
    Config: string;
    RepoTags?: string[] | null;
    Layers: string[];
  }[];
  return Promise.all(
    list.map(async ({ Config, RepoTags, Layers }) => {
      const bytes = await files.read(Config);
      const { diffIds } = parseImageFile(bytes);
      const layers: Descriptor[] = Layers.map((name, at) => ({ mediaType: name, digest: diffIds[at] ?? '', size: 0 }));
      const source: ContentSource = { document: async () => bytes, layer: ({ mediaType }) => files.stream(mediaType) };
      return {
        manifest: { config: { mediaType: '', digest: sha256(bytes), size: bytes.length }, layers },
        digest: undefined,
        names: RepoTags ?? [],
        source,
      };
    }),
  );
}

/** The images of a `docker save` archive or of an OCI layout. Layers are verified by their digests unpacked. */
export async function archivedImages(files: ArchiveFiles, platform: Platform): Promise<readonly ArchivedImage[]> {
  if (files.has('manifest.json')) return dockerImages(files);
  if (files.has('index.json')) return ociImages(files, platform);
  throw new RuntimeError('INVALID_ARGUMENT', 'the archive is neither of docker save (manifest.json) nor an OCI layout (index.json)');
}
