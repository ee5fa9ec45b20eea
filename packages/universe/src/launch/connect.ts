import { join } from 'node:path';
import {
  type Client,
  httpsOptionsOf,
  inClusterConfig,
  KubeconfigError,
  loadKubeconfig,
  newClient,
  newHttpsTransport,
  resolveContext,
  type Transport,
} from '@orrery/client';
import { LaunchProblem } from '../options/settings.ts';
import type { LaunchIo } from './launch-io.ts';

/** One cluster, reached. */
export interface Connection {
  /** Context, or `in-cluster`. */
  readonly name: string;
  readonly client: Client;
  readonly transport: Transport;
  /** Where to work unless somebody says otherwise. */
  readonly namespace: string;
}

const kubeconfigPaths = ({ env, home }: Pick<LaunchIo, 'env' | 'home'>): readonly string[] => {
  const named = (env['KUBECONFIG'] ?? '').split(':').filter((path) => path !== '');
  return named.length > 0 ? named : [join(home, '.kube/config')];
};

/**
 * Reaches the cluster of a context of the user's kubeconfig; in a pod without one, the pod's own cluster.
 * @param context - Empty: the current one.
 * @throws {LaunchProblem}
 */
export async function connect(context: string, { env, home, clock, isTerminal }: LaunchIo): Promise<Connection> {
  const paths = kubeconfigPaths({ env, home });
  try {
    const config = await loadKubeconfig(paths);
    const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = env;
    if (config.contexts.length === 0 && context === '' && host !== undefined) {
      const { options, namespace } = await inClusterConfig({ host, port }, { clock });
      return connected('in-cluster', newHttpsTransport(options), namespace);
    }
    if (config.contexts.length === 0)
      throw new LaunchProblem(`no cluster to deploy to: ${paths.join(', ')} has no context; start one with "orrery up --merge-kubeconfig"`);
    const resolved = resolveContext(config, context === '' ? undefined : context);
    const plugins = { env, terminal: isTerminal };
    return connected(resolved.name, newHttpsTransport(await httpsOptionsOf(resolved, { clock, plugins })), resolved.namespace);
  } catch (cause) {
    if (cause instanceof KubeconfigError) throw new LaunchProblem(cause.message, { cause });
    throw cause;
  }
}

const connected = (name: string, transport: Transport, namespace: string): Connection => ({
  name,
  transport,
  client: newClient(transport),
  namespace,
});
