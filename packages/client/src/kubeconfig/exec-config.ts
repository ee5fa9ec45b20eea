import { isJsonObject, type Json, type JsonObject } from '@orrery/apimachinery';
import { type KubeconfigCluster, KubeconfigError, type KubeconfigUser } from './kubeconfig.ts';

export type InteractiveMode = 'Never' | 'IfAvailable' | 'Always';

/** `exec` of a kubeconfig's user, checked. */
export interface ExecConfig {
  /** `client.authentication.k8s.io/v1` or `…/v1beta1` */
  readonly apiVersion: string;
  /** A name is searched in `PATH`; a path is absolute. */
  readonly command: string;
  readonly args: readonly string[];
  /** Added to the caller's environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Shown when the program is not there. */
  readonly installHint: string | undefined;
  readonly interactiveMode: InteractiveMode;
  /** `spec.cluster` of what the plugin is told; undefined unless it asks with `provideClusterInfo`. */
  readonly cluster: JsonObject | undefined;
}

export const execApiGroup = 'client.authentication.k8s.io';
const versions = [`${execApiGroup}/v1`, `${execApiGroup}/v1beta1`];
const modes: readonly string[] = ['Never', 'IfAvailable', 'Always'] satisfies readonly InteractiveMode[];

/**
 * Checks what a user says about its plugin. Source: clientcmd validation.go, validateAuthInfo.
 * @param user - Whose `exec` is defined.
 * @param ca - PEM of the cluster's authority, for a plugin that wants to know its cluster.
 * @throws {KubeconfigError} `Malformed`, or `Unsupported` for other versions of the protocol.
 */
export function execConfigOf(user: KubeconfigUser, cluster: KubeconfigCluster, ca: string | undefined, context: string): ExecConfig {
  const { exec = {} } = user;
  const malformed = (problem: string): KubeconfigError => new KubeconfigError('Malformed', `context "${context}": ${problem}`);
  const text = (name: string): string | undefined => {
    const value = exec[name];
    if (value !== undefined && value !== null && typeof value !== 'string') throw malformed(`exec.${name} must be a string`);
    return value ? value : undefined;
  };
  const command = text('command');
  if (command === undefined) throw malformed('command must be specified for user to use exec authentication plugin');
  const apiVersion = text('apiVersion');
  if (apiVersion === undefined) throw malformed('apiVersion must be specified for user to use exec authentication plugin');
  if (!versions.includes(apiVersion))
    throw new KubeconfigError('Unsupported', `context "${context}": exec.apiVersion ${apiVersion} is not supported; use ${versions[0]}`);
  const mode = text('interactiveMode') ?? (apiVersion === versions[1] ? 'IfAvailable' : undefined);
  if (mode === undefined) throw malformed('interactiveMode must be specified for user to use exec authentication plugin');
  if (!modes.includes(mode)) throw malformed(`invalid interactiveMode ${JSON.stringify(mode)}: must be one of ${modes.join(', ')}`);
  return {
    apiVersion,
    command,
    args: listOf(exec['args']).map((arg) => {
      if (typeof arg !== 'string') throw malformed('exec.args must be strings');
      return arg;
    }),
    env: Object.fromEntries(
      listOf(exec['env']).map((entry) => {
        if (!isJsonObject(entry) || typeof entry['name'] !== 'string' || entry['name'] === '')
          throw malformed('env variable name must be specified to use exec authentication plugin');
        return [entry['name'], typeof entry['value'] === 'string' ? entry['value'] : ''];
      }),
    ),
    installHint: text('installHint'),
    interactiveMode: mode as InteractiveMode,
    cluster: exec['provideClusterInfo'] === true ? clusterInfo(cluster, ca) : undefined,
  };
}

const listOf = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : []);

/** Name of the cluster's extension whose content the plugin gets as `config`. */
const clusterExtension = 'client.authentication.k8s.io/exec';

function clusterInfo(cluster: KubeconfigCluster, ca: string | undefined): JsonObject {
  const { server = '', extensions = [], 'tls-server-name': serverName, 'insecure-skip-tls-verify': insecure } = cluster;
  const config = extensions.find(({ name }) => name === clusterExtension)?.extension;
  return {
    server,
    ...(serverName ? { 'tls-server-name': serverName } : {}),
    ...(insecure === true ? { 'insecure-skip-tls-verify': true } : {}),
    ...(ca === undefined ? {} : { 'certificate-authority-data': Buffer.from(ca).toString('base64') }),
    config: config ?? null,
  };
}
