import type { AuthConfig } from '@orrery/cri';

/** Docker Hub, as configurations name it. */
const DEFAULT_REGISTRY = 'index.docker.io';

interface Place {
  readonly host: string;
  readonly port: string;
  readonly path: string;
}

function placeOf(text: string): Place | undefined {
  const [, host = '', port = '', path = ''] = /^([^/:]*)(?::(\d+))?(\/.*)?$/.exec(text) ?? [];
  return host === '' ? undefined : { host, port, path };
}

/** The key of an entry: without scheme, and without the path of the registry's own protocol. Source: BasicDockerKeyring.Add. */
export function registryKey(server: string): string {
  const bare = server.replace(/^https?:\/\//, '').replace(/^([^/]+)\/v[12]\//, '$1/');
  return bare.replace(/^([^/]+)\/$/, '$1');
}

const escaped = (text: string): string => text.replace(/[\\^$+?.()|[\]{}]/g, '\\$&').replaceAll('*', '[^.]*');

/** Whether an entry, which may have `*` in parts of its host, is for the place. Source: credentialprovider.URLsMatch. */
function matches(entry: Place, place: Place): boolean {
  if (entry.port !== place.port || !place.path.startsWith(entry.path)) return false;
  const [wanted, given] = [entry.host.split('.'), place.host.split('.')];
  return wanted.length === given.length && wanted.every((part, index) => new RegExp(`^${escaped(part)}$`).test(given[index] ?? ''));
}

/** Whether an image without a registry of its own, or Docker Hub's, is meant. Source: isDefaultRegistryMatch. */
function isDefault(image: string): boolean {
  const [first = '', ...rest] = image.split('/');
  if (first === '') return false;
  return rest.length === 0 || first === 'docker.io' || first === DEFAULT_REGISTRY || !/[.:]/.test(first);
}

/** The credentials that are for the image's registry, the most special first. Nobody else is shown any. */
export function credentialsFor(image: string, all: readonly AuthConfig[]): readonly AuthConfig[] {
  const place = placeOf(image);
  const keyed = all.map((auth) => ({ auth, key: registryKey(auth.serverAddress ?? '') })).sort((a, b) => (a.key > b.key ? -1 : 1));
  const found = keyed.filter(({ key }) => {
    const entry = placeOf(key);
    return entry !== undefined && place !== undefined && matches(entry, place);
  });
  const ofHub = found.length === 0 && isDefault(image) ? keyed.filter(({ key }) => key === DEFAULT_REGISTRY || key === 'docker.io') : [];
  return [...found, ...ofHub].map(({ auth }) => auth);
}
