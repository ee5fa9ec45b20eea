import { readFile } from 'node:fs/promises';
import { type Clock, realClock } from '@orrery/base';
import { type HttpsTransportOptions, newHttpsTransport, type TokenSource } from '../http/https-transport.ts';
import type { Transport } from '../transport.ts';
import { type Kubeconfig, KubeconfigError, type KubeconfigUser, type ResolvedContext, resolveContext } from './kubeconfig.ts';

/** What the caller adds to a kubeconfig: everything but the server and the credentials. */
export type TransportTuning = Pick<HttpsTransportOptions, 'clock' | 'connectTimeoutMs' | 'requestTimeoutMs' | 'onWarning' | 'headers'>;

/** A token file is read again after this long: tokens that are mounted into pods are renewed in place. As client-go. */
const TOKEN_FILE_MS = 60_000;

/**
 * @param context - @default the current context
 * @throws {KubeconfigError} `NotFound`, or `Unsupported` for credentials that need another program.
 */
export async function transportFromKubeconfig(
  config: Kubeconfig,
  options: TransportTuning & { readonly context?: string | undefined } = {},
): Promise<Required<Transport>> {
  const { context, ...tuning } = options;
  return newHttpsTransport(await httpsOptionsOf(resolveContext(config, context), tuning));
}

/** The transport options that a context stands for. Reads the certificate files that it names. */
export async function httpsOptionsOf(context: ResolvedContext, tuning: TransportTuning = {}): Promise<HttpsTransportOptions> {
  const { cluster, user, name } = context;
  if (!cluster.server) throw new KubeconfigError('Malformed', `the cluster of context "${name}" has no server`);
  if (cluster['proxy-url']) throw new KubeconfigError('Unsupported', `context "${name}": proxy-url is not supported`);
  if (user.exec !== undefined) throw new KubeconfigError('Unsupported', `context "${name}": exec credential plugins are not supported`);
  if (user['auth-provider'] !== undefined) throw new KubeconfigError('Unsupported', `context "${name}": auth providers are not supported`);
  return {
    ...tuning,
    server: cluster.server,
    serverName: cluster['tls-server-name'],
    insecureSkipTlsVerify: cluster['insecure-skip-tls-verify'],
    ca: await pemOf(cluster['certificate-authority-data'], cluster['certificate-authority']),
    cert: await pemOf(user['client-certificate-data'], user['client-certificate']),
    key: await pemOf(user['client-key-data'], user['client-key']),
    token: tokenOf(user, tuning.clock ?? realClock),
    headers: { ...basicAuth(user), ...impersonation(user), ...tuning.headers },
  };
}

async function pemOf(data: string | undefined, path: string | undefined): Promise<string | undefined> {
  if (data) return Buffer.from(data, 'base64').toString('utf8');
  return path ? readFile(path, 'utf8') : undefined;
}

function tokenOf({ token, tokenFile }: KubeconfigUser, clock: Clock): TokenSource | undefined {
  return tokenFile ? tokenFromFile(tokenFile, clock) : token || undefined;
}

/** A token that another program renews in a file. */
export function tokenFromFile(path: string, clock: Clock): TokenSource {
  let token: string | undefined;
  let readMs = Number.NEGATIVE_INFINITY;
  return async ({ rejected }) => {
    if (!rejected && clock.monotonicMs() - readMs < TOKEN_FILE_MS) return token;
    token = (await readFile(path, 'utf8')).trim();
    readMs = clock.monotonicMs();
    return token;
  };
}

function basicAuth({ username, password }: KubeconfigUser): Record<string, string> {
  if (!username) return {};
  return { authorization: `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}` };
}

function impersonation(user: KubeconfigUser): Record<string, string | readonly string[]> {
  if (!user.as) return {};
  const headers: Record<string, string | readonly string[]> = { 'impersonate-user': user.as };
  if (user['as-uid']) headers['impersonate-uid'] = user['as-uid'];
  if (user['as-groups']?.length) headers['impersonate-group'] = user['as-groups'];
  for (const [key, values] of Object.entries(user['as-user-extra'] ?? {})) {
    headers[`impersonate-extra-${encodeURIComponent(key).toLowerCase()}`] = values;
  }
  return headers;
}

export interface InClusterOptions {
  /** `KUBERNETES_SERVICE_HOST` */
  readonly host: string;
  /** `KUBERNETES_SERVICE_PORT` */
  readonly port: string;
  /** @default '/var/run/secrets/kubernetes.io/serviceaccount' */
  readonly folder?: string;
}

export interface InClusterConfig {
  readonly options: HttpsTransportOptions;
  /** The pod's own namespace. */
  readonly namespace: string;
}

/** How a process in a pod reaches its cluster: as its service account. Rejects when it does not run in a pod (its files are absent). */
export async function inClusterConfig(
  { host, port, folder = '/var/run/secrets/kubernetes.io/serviceaccount' }: InClusterOptions,
  tuning: TransportTuning = {},
): Promise<InClusterConfig> {
  const ca = await readFile(`${folder}/ca.crt`, 'utf8');
  const namespace = (await readFile(`${folder}/namespace`, 'utf8')).trim();
  const server = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
  return { options: { ...tuning, server, ca, token: tokenFromFile(`${folder}/token`, tuning.clock ?? realClock) }, namespace };
}
