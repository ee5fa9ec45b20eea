import type { Json, JsonObject } from '@orrery/apimachinery';

/** A kubeconfig, in the file's own names. Fields that are not named here are kept as they are. Source: clientcmd api v1. */
export interface Kubeconfig {
  readonly apiVersion: 'v1';
  readonly kind: 'Config';
  readonly clusters: readonly NamedCluster[];
  readonly contexts: readonly NamedContext[];
  readonly users: readonly NamedUser[];
  readonly 'current-context'?: string | undefined;
  readonly preferences?: JsonObject;
}

export interface NamedCluster {
  readonly name: string;
  readonly cluster: KubeconfigCluster;
}
export interface KubeconfigCluster {
  readonly server?: string;
  readonly 'tls-server-name'?: string;
  readonly 'insecure-skip-tls-verify'?: boolean;
  /** Path of a PEM file; relative ones are made absolute when the file is loaded. */
  readonly 'certificate-authority'?: string;
  /** PEM in base64; wins over the file. */
  readonly 'certificate-authority-data'?: string;
  readonly 'proxy-url'?: string;
  readonly extensions?: readonly { readonly name: string; readonly extension: Json }[];
}

export interface NamedContext {
  readonly name: string;
  readonly context: KubeconfigContext;
}
export interface KubeconfigContext {
  readonly cluster: string;
  readonly user: string;
  readonly namespace?: string;
}

export interface NamedUser {
  readonly name: string;
  readonly user: KubeconfigUser;
}
export interface KubeconfigUser {
  readonly 'client-certificate'?: string;
  readonly 'client-certificate-data'?: string;
  readonly 'client-key'?: string;
  readonly 'client-key-data'?: string;
  readonly token?: string;
  /** Read again every minute; wins over `token`. */
  readonly tokenFile?: string;
  readonly username?: string;
  readonly password?: string;
  readonly as?: string;
  readonly 'as-uid'?: string;
  readonly 'as-groups'?: readonly string[];
  readonly 'as-user-extra'?: { readonly [key: string]: readonly string[] };
  readonly exec?: JsonObject;
  readonly 'auth-provider'?: JsonObject;
}

export type KubeconfigErrorCode = 'Malformed' | 'NotFound' | 'Unsupported' | 'Locked';

/** A kubeconfig that cannot be used as it is. The message says what to change. */
export class KubeconfigError extends Error {
  override readonly name = 'KubeconfigError';
  readonly code: KubeconfigErrorCode;
  constructor(code: KubeconfigErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export const emptyKubeconfig: Kubeconfig = { apiVersion: 'v1', kind: 'Config', clusters: [], contexts: [], users: [] };

/** What one context names, looked up. */
export interface ResolvedContext {
  readonly name: string;
  readonly cluster: KubeconfigCluster;
  readonly user: KubeconfigUser;
  /** @default 'default' */
  readonly namespace: string;
}

/**
 * @param name - @default the current context
 * @throws {KubeconfigError} `NotFound` when the context, its cluster or its user is not there.
 */
export function resolveContext(config: Kubeconfig, name = config['current-context']): ResolvedContext {
  if (name === undefined || name === '')
    throw new KubeconfigError('NotFound', 'no context was named and the kubeconfig has no current-context');
  const context = config.contexts.find((entry) => entry.name === name)?.context;
  if (context === undefined) throw new KubeconfigError('NotFound', `context "${name}" does not exist`);
  const cluster = config.clusters.find((entry) => entry.name === context.cluster)?.cluster;
  if (cluster === undefined) throw new KubeconfigError('NotFound', `cluster "${context.cluster}" of context "${name}" does not exist`);
  const user = config.users.find((entry) => entry.name === context.user)?.user;
  if (user === undefined && context.user)
    throw new KubeconfigError('NotFound', `user "${context.user}" of context "${name}" does not exist`);
  return { name, cluster, user: user ?? {}, namespace: context.namespace || 'default' };
}
