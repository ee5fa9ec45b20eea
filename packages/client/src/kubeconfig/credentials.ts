import { readFile } from 'node:fs/promises';
import { type Clock, realClock } from '@orrery/base';
import type { CredentialSource } from '../http/credential.ts';
import { type HttpsTransportOptions, newHttpsTransport, type TokenSource } from '../http/https-transport.ts';
import type { Transport } from '../transport.ts';
import { execConfigOf } from './exec-config.ts';
import { newExecCredentials } from './exec-credentials.ts';
import type { PluginHost } from './exec-plugin.ts';
import { type Kubeconfig, KubeconfigError, type KubeconfigUser, type ResolvedContext, resolveContext } from './kubeconfig.ts';

/** What the caller adds to a kubeconfig: everything but the server and the credentials. */
export interface TransportTuning
  extends Pick<HttpsTransportOptions, 'clock' | 'connectTimeoutMs' | 'requestTimeoutMs' | 'onWarning' | 'headers'> {
  /** Allows the credential plugins that a kubeconfig names, which are programs, to run. @default they are refused */
  readonly plugins?: PluginHost;
}

/** A token file is read again after this long: tokens that are mounted into pods are renewed in place. As client-go. */
const TOKEN_FILE_MS = 60_000;

/**
 * @param context - @default the current context
 * @throws {KubeconfigError} `NotFound`, `Malformed`, or `Unsupported` for what is not spoken here.
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
  const { plugins, ...rest } = tuning;
  if (!cluster.server) throw new KubeconfigError('Malformed', `the cluster of context "${name}" has no server`);
  if (cluster['proxy-url']) throw new KubeconfigError('Unsupported', `context "${name}": proxy-url is not supported`);
  if (user['auth-provider'] !== undefined) throw new KubeconfigError('Unsupported', `context "${name}": auth providers are not supported`);
  const ca = await pemOf(cluster['certificate-authority-data'], cluster['certificate-authority']);
  return {
    ...rest,
    server: cluster.server,
    serverName: cluster['tls-server-name'],
    insecureSkipTlsVerify: cluster['insecure-skip-tls-verify'],
    ca,
    cert: await pemOf(user['client-certificate-data'], user['client-certificate']),
    key: await pemOf(user['client-key-data'], user['client-key']),
    token: tokenOf(user, tuning.clock ?? realClock),
    credentials: usesPlugin(user) ? pluginOf(context, ca, tuning) : undefined,
    headers: { ...basicAuth(user), ...impersonation(user), ...tuning.headers },
  };
}

/** What is in the file itself wins over a plugin. */
const usesPlugin = ({ exec, token, tokenFile, username }: KubeconfigUser): boolean =>
  exec !== undefined && !token && !tokenFile && !username;

function pluginOf({ name, user, cluster }: ResolvedContext, ca: string | undefined, { plugins, clock }: TransportTuning): CredentialSource {
  const config = execConfigOf(user, cluster, ca, name);
  if (plugins === undefined)
    throw new KubeconfigError(
      'Unsupported',
      `context "${name}": its credentials come from the program ${config.command}, which may not run here`,
    );
  return newExecCredentials(config, plugins, clock ?? realClock);
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
