import { type Client, loadKubeconfig, newClient, resolveContext, transportFromKubeconfig } from '@orrery/client';
import { type CliContext, CliError, type OptionSpec, type Parsed, stringFlag, UsageError } from './command.ts';

/** Which cluster of the user's kubeconfig, and where in it. */
export interface Connection {
  readonly kubeconfigs: readonly string[];
  readonly context: string | undefined;
  readonly namespace: string | undefined;
  readonly allNamespaces: boolean;
}

export const connectionOptions = {
  context: { type: 'string', placeholder: '<context>', description: 'context of your kubeconfig (default: the current one)' },
  kubeconfig: { type: 'string', placeholder: '<file>', description: 'instead of $KUBECONFIG or ~/.kube/config' },
  namespace: { type: 'string', short: 'n', placeholder: '<namespace>', description: "namespace (default: the context's)" },
  'all-namespaces': { type: 'boolean', short: 'A', description: 'every namespace' },
} as const satisfies Readonly<Record<string, OptionSpec>>;

export function connectionOf({ flags }: Parsed, { env, paths }: CliContext): Connection {
  const file = stringFlag(flags['kubeconfig']);
  const named = (env['KUBECONFIG'] ?? '').split(':').filter((path) => path !== '');
  const namespace = stringFlag(flags['namespace']);
  const allNamespaces = flags['all-namespaces'] === true;
  if (allNamespaces && namespace !== undefined) throw new UsageError('--all-namespaces and --namespace may not be used together');
  return {
    kubeconfigs: file !== undefined ? [file] : named.length > 0 ? named : [paths.userKubeconfig],
    context: stringFlag(flags['context']),
    namespace,
    allNamespaces,
  };
}

export interface Connected {
  readonly client: Client;
  /** Absent: every namespace. */
  readonly namespace: string | undefined;
}

/** Runs `use` with a client of the cluster, and closes its connections. */
export async function withConnection<T>(
  { kubeconfigs, context, namespace, allNamespaces }: Connection,
  { clock, env }: CliContext,
  use: (connected: Connected) => Promise<T>,
): Promise<T> {
  const config = await loadKubeconfig(kubeconfigs);
  if (config.contexts.length === 0)
    throw new CliError(`no context in ${kubeconfigs.join(', ')}: start a cluster with "orrery up", or name a file with --kubeconfig`);
  const resolved = resolveContext(config, context);
  const plugins = { env, terminal: process.stdin.isTTY === true };
  const transport = await transportFromKubeconfig(config, { context: resolved.name, clock, plugins });
  try {
    return await use({ client: newClient(transport), namespace: allNamespaces ? undefined : (namespace ?? resolved.namespace) });
  } finally {
    await transport.close();
  }
}
