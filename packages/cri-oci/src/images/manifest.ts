import { RuntimeError } from '@orrery/cri';
import type { ImageConfig } from './image-record.ts';
import { type Platform, platformScore } from './platform.ts';
import { isDigest } from './reference.ts';

/** What a manifest says of a blob. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

export interface Manifest {
  readonly config: Descriptor;
  /** Lowest first. */
  readonly layers: readonly Descriptor[];
}

export interface ImageFile {
  readonly config: ImageConfig;
  /** Digests of the uncompressed layers, lowest first. */
  readonly diffIds: readonly string[];
}

export const manifestTypes: readonly string[] = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];
const layersMax = 127; // Docker's bound; the path list of a deeper mount could outgrow the page that mount(2) takes.

const invalid = (why: string): never => {
  throw new RuntimeError('INVALID_ARGUMENT', `invalid image: ${why}`);
};
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The object in a JSON document. @throws {RuntimeError} */
export function parseDocument(bytes: Uint8Array, what: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return invalid(`the ${what} is not JSON`);
  }
  return isObject(value) ? value : invalid(`the ${what} is not an object`);
}

function parseDescriptor(value: unknown, what: string): Descriptor {
  if (!isObject(value)) return invalid(`the ${what} has no descriptor`);
  const { mediaType = '', digest, size } = value;
  if (typeof digest !== 'string' || !isDigest(digest)) return invalid(`the ${what} has an unsupported digest`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) return invalid(`the ${what} has no size`);
  return { mediaType: String(mediaType), digest, size };
}

/** The manifests of an index in the order of how well they run here; undefined for a document that is no index. */
export function chooseFromIndex(document: Readonly<Record<string, unknown>>, platform: Platform): Descriptor | undefined {
  const { manifests } = document;
  if (!Array.isArray(manifests)) return undefined;
  const scored = manifests.filter(isObject).map((entry) => {
    const named = isObject(entry['platform']) ? entry['platform'] : undefined;
    const candidate = {
      os: String(named?.['os'] ?? ''),
      architecture: String(named?.['architecture'] ?? ''),
      variant: typeof named?.['variant'] === 'string' ? named['variant'] : undefined,
    };
    return { entry, score: named === undefined ? (manifests.length === 1 ? 1 : 0) : platformScore(platform, candidate) };
  });
  const best = scored.reduce<(typeof scored)[number] | undefined>((top, each) => (each.score > (top?.score ?? 0) ? each : top), undefined);
  const wanted = [platform.os, platform.architecture, platform.variant].filter((part) => part !== undefined).join('/');
  if (best === undefined) throw new RuntimeError('NOT_FOUND', `no match for platform in manifest: not found (wanted ${wanted})`);
  return parseDescriptor(best.entry, 'manifest');
}

export function parseManifest(document: Readonly<Record<string, unknown>>): Manifest {
  if (document['schemaVersion'] === 1)
    return invalid('manifests of schema 1 are not supported: push the image again with a current client');
  const { config, layers } = document;
  if (!Array.isArray(layers)) return invalid('the manifest has no layers');
  if (layers.length > layersMax) return invalid(`the manifest has more than ${layersMax} layers`);
  return { config: parseDescriptor(config, 'config'), layers: layers.map((layer, index) => parseDescriptor(layer, `layer ${index}`)) };
}

export function parseImageFile(bytes: Uint8Array): ImageFile {
  const document = parseDocument(bytes, 'image configuration');
  const rootfs = isObject(document['rootfs']) ? document['rootfs'] : {};
  const diffIds = rootfs['diff_ids'] ?? [];
  if (!Array.isArray(diffIds) || !diffIds.every((id): id is string => typeof id === 'string' && isDigest(id)))
    return invalid('the configuration has no diff_ids');
  const config = document['config'];
  return { config: isObject(config) ? (config as ImageConfig) : {}, diffIds };
}
