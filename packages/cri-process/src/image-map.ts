import { isJsonObject, type Json } from '@orrery/apimachinery';

/** What a host runs in place of an image. The pod's own `command` and `args` win over these, as they do over an image's. */
export interface MappedImage {
  /** Stands for the image's ENTRYPOINT. */
  readonly entrypoint: readonly string[];
  /** Stands for the image's CMD. */
  readonly command: readonly string[];
  /** Added below the pod's own environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly workingDir: string | undefined;
}

export interface ImageMap {
  /** The entry for an image reference; exact names win over patterns, earlier patterns over later ones. */
  resolve(image: string): MappedImage | undefined;
}

/** The map's content is wrong. `message` begins with the path of the field. */
export class ImageMapError extends Error {
  override readonly name = 'ImageMapError';
}

/**
 * Reads an image map: `images` is an object from image reference to entry. In a reference `*` stands for any text, so that
 * `nginx:*` or `docker.io/library/nginx*` work. `$(POD_IP)` and other variables of the container's environment may be used in
 * entries.
 *
 * ```yaml
 * images:
 *   "nginx:*":
 *     entrypoint: ["python3", "-m", "http.server"]
 *     command: ["80"]
 *     env: { PYTHONUNBUFFERED: "1" }
 *     workingDir: /srv
 * ```
 * @throws {ImageMapError} when a field has the wrong type or is not known.
 */
export function parseImageMap(value: Json | undefined): ImageMap {
  if (value === undefined || value === null) return emptyImageMap;
  if (!isJsonObject(value)) throw new ImageMapError('the image map must be an object with the field "images"');
  const unknown = Object.keys(value).find((key) => key !== 'images');
  if (unknown !== undefined) throw new ImageMapError(`${unknown}: unknown field; only "images" is known`);
  const images = value['images'] ?? {};
  if (!isJsonObject(images)) throw new ImageMapError('images: must be an object from image reference to entry');
  const entries = Object.entries(images).map(([pattern, entry]) => ({
    pattern,
    matches: matcher(pattern),
    entry: parseEntry(`images[${pattern}]`, entry),
  }));
  return {
    resolve(image) {
      return (entries.find(({ pattern }) => pattern === image) ?? entries.find(({ matches }) => matches.test(image)))?.entry;
    },
  };
}

export const emptyImageMap: ImageMap = { resolve: () => undefined };

function matcher(pattern: string): RegExp {
  return new RegExp(
    `^${pattern
      .split('*')
      .map((part) => part.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'))
      .join('.*')}$`,
  );
}

const known = ['entrypoint', 'command', 'env', 'workingDir'];

function parseEntry(path: string, value: Json | undefined): MappedImage {
  if (!isJsonObject(value)) throw new ImageMapError(`${path}: must be an object with ${known.join(', ')}`);
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new ImageMapError(`${path}.${unknown}: unknown field; known are ${known.join(', ')}`);
  const entrypoint = strings(`${path}.entrypoint`, value['entrypoint']);
  const command = strings(`${path}.command`, value['command']);
  if (entrypoint.length + command.length === 0) throw new ImageMapError(`${path}: must name a program in entrypoint or command`);
  const { workingDir, env = {} } = value;
  if (workingDir !== undefined && typeof workingDir !== 'string') throw new ImageMapError(`${path}.workingDir: must be a string`);
  if (!isJsonObject(env) || !Object.values(env).every((item) => typeof item === 'string'))
    throw new ImageMapError(`${path}.env: must be an object of strings`);
  return { entrypoint, command, env: env as Record<string, string>, workingDir };
}

function strings(path: string, value: Json | undefined): readonly string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string'))
    throw new ImageMapError(`${path}: must be a list of strings`);
  return value as readonly string[];
}
