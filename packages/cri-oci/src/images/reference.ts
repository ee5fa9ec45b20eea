import { RuntimeError } from '@orrery/cri';

/** An image's full name, normalised: the registry is always named, and there is a tag, a digest, or both. */
export interface ImageReference {
  /** As names have it; `docker.io` also where its API is at another host. */
  readonly registry: string;
  /** `library/busybox`. */
  readonly repository: string;
  readonly tag?: string | undefined;
  /** `sha256:<hex>`. */
  readonly digest?: string | undefined;
}

const defaultRegistry = 'docker.io';
const label = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const domain = new RegExp(String.raw`^(?:${label}(?:\.${label})*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?$`);
const component = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const repositoryPath = new RegExp(`^${component}(?:/${component})*$`);
const tagName = /^\w[\w.-]{0,127}$/;
const anyDigest = /^sha256:[0-9a-f]{64}$/;
const repositoryLengthMax = 255; // Of registry and path together, as the distribution project has it.

/** Whether `text` is a digest that the store can verify. */
export const isDigest = (text: string): boolean => anyDigest.test(text);

/**
 * Parses and normalises a name: `busybox` is `docker.io/library/busybox:latest`.
 * @throws {RuntimeError} `INVALID_ARGUMENT`
 */
export function parseReference(text: string): ImageReference {
  const refuse = (why: string): never => {
    throw new RuntimeError('INVALID_ARGUMENT', `couldn't parse image name "${text}": ${why}`);
  };
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : text.slice(at + 1);
  const named = at < 0 ? text : text.slice(0, at);
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  const tag = colon < 0 ? undefined : named.slice(colon + 1);
  const { registry, repository } = splitRegistry(colon < 0 ? named : named.slice(0, colon));
  if (digest !== undefined && !isDigest(digest)) refuse('invalid checksum digest: sha256 is supported');
  if (tag !== undefined && !tagName.test(tag)) refuse('invalid tag format');
  if (/[A-Z]/.test(repository)) refuse('invalid reference format: repository name must be lowercase');
  if (!domain.test(registry) || !repositoryPath.test(repository)) refuse('invalid reference format');
  if (registry.length + repository.length + 1 > repositoryLengthMax)
    refuse(`repository name must not be more than ${repositoryLengthMax} characters`);
  return { registry, repository, tag: tag ?? (digest === undefined ? 'latest' : undefined), digest };
}

/** A first part with a dot or a port, or `localhost`, is a registry; anything else is a path at docker.io. */
function splitRegistry(name: string): { registry: string; repository: string } {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(slash, 0));
  const isRegistry = slash > 0 && (/[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first);
  const registry = isRegistry ? first : defaultRegistry;
  const repository = isRegistry ? name.slice(slash + 1) : name;
  if (registry !== defaultRegistry && registry !== 'index.docker.io') return { registry, repository };
  return { registry: defaultRegistry, repository: repository.includes('/') ? repository : `library/${repository}` };
}

/** Registry and path, without tag and digest. */
export const repositoryOf = ({ registry, repository }: ImageReference): string => `${registry}/${repository}`;

/** The full name; with a digest the tag is left out, for the digest alone decides. */
export function formatReference(reference: ImageReference): string {
  const { tag, digest } = reference;
  return digest === undefined ? `${repositoryOf(reference)}:${tag ?? 'latest'}` : `${repositoryOf(reference)}@${digest}`;
}
