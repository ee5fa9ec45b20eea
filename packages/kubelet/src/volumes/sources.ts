import type { ConfigMap, DownwardAPIVolumeFile, Pod, Secret, Volume, VolumeProjection } from '@orrery/api/core/v1';
import { isNotFound } from '@orrery/apimachinery';
import { type PodFacts, podField } from '../env/field-ref.ts';
import type { References } from '../env/references.ts';
import { resourceField } from '../env/resource-field.ts';
import { type Payload, type PayloadFile, type PayloadItem, selectFiles } from './payload.ts';
import type { TokenSource } from './tokens.ts';

const DEFAULT_MODE = 0o644;
const DEFAULT_EXPIRATION_SECONDS = 3600;

export interface SourceInput {
  readonly pod: Pod;
  readonly facts: PodFacts;
  readonly allocatable: Readonly<Record<string, string>>;
  readonly references: References;
  readonly tokens: TokenSource;
}

const base64 = (text: string): Buffer => Buffer.from(text, 'base64');

async function fetched<T>(fetch: () => Promise<T>, kind: string, name: string, optional: boolean): Promise<T | undefined> {
  try {
    return await fetch();
  } catch (err) {
    if (!isNotFound(err)) throw err;
    if (optional) return undefined;
    throw new Error(`${kind} "${name}" not found`, { cause: err });
  }
}

interface KeyedSource {
  readonly name: string;
  readonly items?: readonly PayloadItem[] | undefined;
  readonly optional?: boolean | undefined;
}

function configMapData(map: ConfigMap | undefined): ReadonlyMap<string, Buffer> {
  const text = Object.entries(map?.data ?? {}).map(([key, value]) => [key, Buffer.from(value)] as const);
  const binary = Object.entries(map?.binaryData ?? {}).map(([key, value]) => [key, base64(value)] as const);
  return new Map([...text, ...binary]);
}

const secretData = (secret: Secret | undefined): ReadonlyMap<string, Buffer> =>
  new Map(Object.entries(secret?.data ?? {}).map(([key, value]) => [key, base64(value)]));

async function configMapFiles(source: KeyedSource, { pod, references }: SourceInput, defaultMode: number): Promise<Payload> {
  const optional = source.optional === true;
  const namespace = pod.metadata.namespace ?? '';
  const map = await fetched(() => references.configMap(namespace, source.name), 'configmap', source.name, optional);
  const missing = (key: string): string => `configmap references non-existent config key: ${key}`;
  return selectFiles(configMapData(map), source.items, { defaultMode, optional, missing });
}

async function secretFiles(source: KeyedSource, { pod, references }: SourceInput, defaultMode: number): Promise<Payload> {
  const optional = source.optional === true;
  const namespace = pod.metadata.namespace ?? '';
  const secret = await fetched(() => references.secret(namespace, source.name), 'secret', source.name, optional);
  const missing = (key: string): string => `references non-existent secret key: ${key}`;
  return selectFiles(secretData(secret), source.items, { defaultMode, optional, missing });
}

function downwardFiles(items: readonly DownwardAPIVolumeFile[], { pod, facts, allocatable }: SourceInput, defaultMode: number): Payload {
  const value = ({ fieldRef, resourceFieldRef }: DownwardAPIVolumeFile): string => {
    if (fieldRef !== undefined) return podField(fieldRef.fieldPath, pod, facts);
    return resourceFieldRef === undefined ? '' : resourceField(resourceFieldRef, pod, undefined, allocatable);
  };
  return new Map(items.map((item) => [item.path, { data: Buffer.from(value(item)), mode: item.mode ?? defaultMode }]));
}

/** The one user as whom every container of the pod runs, when there is one. Source: projected volumes of KEP-1205. */
function singleUser({ spec }: Pod): number | undefined {
  const users = [...spec.containers, ...(spec.initContainers ?? [])].map(
    ({ securityContext }) => securityContext?.runAsUser ?? spec.securityContext?.runAsUser,
  );
  return users.every((user) => user === users[0]) ? users[0] : undefined;
}

async function tokenFile(source: NonNullable<VolumeProjection['serviceAccountToken']>, input: SourceInput, defaultMode: number) {
  const { pod } = input;
  const token = await input.tokens.token(pod, {
    audience: source.audience,
    expirationSeconds: source.expirationSeconds ?? DEFAULT_EXPIRATION_SECONDS,
  });
  const uid = singleUser(pod);
  const guarded = pod.spec.securityContext?.fsGroup !== undefined || uid !== undefined;
  const file: PayloadFile = {
    data: Buffer.from(token),
    mode: guarded ? 0o600 : defaultMode,
    ...(uid !== undefined && process.getuid?.() === 0 ? { uid } : {}),
  };
  return new Map([[source.path, file]]);
}

async function projectionFiles(source: VolumeProjection, input: SourceInput, defaultMode: number): Promise<Payload> {
  if (source.configMap !== undefined) return await configMapFiles(keyed(source.configMap, source.configMap.name), input, defaultMode);
  if (source.secret !== undefined) return await secretFiles(keyed(source.secret, source.secret.name), input, defaultMode);
  if (source.downwardAPI !== undefined) return downwardFiles(source.downwardAPI.items ?? [], input, defaultMode);
  if (source.serviceAccountToken !== undefined) return await tokenFile(source.serviceAccountToken, input, defaultMode);
  const [kind = 'empty'] = Object.keys(source);
  throw new Error(`projected volume source ${kind} is not supported by this node`);
}

const keyed = ({ items, optional }: { readonly items?: readonly PayloadItem[]; readonly optional?: boolean }, name = ''): KeyedSource => ({
  name,
  items,
  optional,
});

export interface ApiVolume {
  /** As `kubernetes.io/configmap`. */
  readonly plugin: string;
  /** Its files must not come to disk. */
  readonly secret: boolean;
  /** @throws {Error} when something it needs is missing. */
  files(input: SourceInput): Promise<Payload>;
}

/** How a volume is filled from the API; `undefined` for volumes that are not. */
export function apiVolume(volume: Volume): ApiVolume | undefined {
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap !== undefined) {
    const files = (input: SourceInput) => configMapFiles(keyed(configMap, configMap.name), input, configMap.defaultMode ?? DEFAULT_MODE);
    return { plugin: 'kubernetes.io/configmap', secret: false, files };
  }
  if (secret !== undefined) {
    const files = (input: SourceInput) => secretFiles(keyed(secret, secret.secretName), input, secret.defaultMode ?? DEFAULT_MODE);
    return { plugin: 'kubernetes.io/secret', secret: true, files };
  }
  if (downwardAPI !== undefined) {
    const files = async (input: SourceInput) => downwardFiles(downwardAPI.items ?? [], input, downwardAPI.defaultMode ?? DEFAULT_MODE);
    return { plugin: 'kubernetes.io/downward-api', secret: true, files };
  }
  if (projected === undefined) return undefined;
  return {
    plugin: 'kubernetes.io/projected',
    secret: true,
    async files(input) {
      const parts = await Promise.all(
        (projected.sources ?? []).map((source) => projectionFiles(source, input, projected.defaultMode ?? DEFAULT_MODE)),
      );
      return new Map(parts.flatMap((part) => [...part])); // A later source wins.
    },
  };
}
