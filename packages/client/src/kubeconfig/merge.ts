import { emptyKubeconfig, type Kubeconfig } from './kubeconfig.ts';

/** One of several files of a KUBECONFIG list: of entries with one name, and of current contexts, the first counts. Source: clientcmd's loading rules. */
export function firstWins(configs: readonly Kubeconfig[]): Kubeconfig {
  const merged = configs.reduceRight((later, earlier) => mergeKubeconfig(later, earlier), emptyKubeconfig);
  const current = configs.map((config) => config['current-context']).find((name) => name !== undefined && name !== '');
  return current === undefined ? merged : { ...merged, 'current-context': current };
}

/**
 * `base` with the entries of `added`: those of the same name are replaced in place, new ones come last. The current context of `base` stays,
 * unless it has none or `setCurrent` asks for that of `added`.
 */
export function mergeKubeconfig(base: Kubeconfig, added: Kubeconfig, options: { readonly setCurrent?: boolean } = {}): Kubeconfig {
  const keep = options.setCurrent === true ? undefined : base['current-context'] || undefined;
  const current = keep ?? (added['current-context'] || base['current-context']);
  return {
    ...added,
    ...base,
    clusters: mergeByName(base.clusters, added.clusters),
    contexts: mergeByName(base.contexts, added.contexts),
    users: mergeByName(base.users, added.users),
    ...(current === undefined ? {} : { 'current-context': current }),
  };
}

function mergeByName<E extends { readonly name: string }>(base: readonly E[], added: readonly E[]): readonly E[] {
  const byName = new Map(base.map((entry) => [entry.name, entry]));
  for (const entry of added) byName.set(entry.name, entry);
  return [...byName.values()];
}

/** Without the context, and without its cluster and user unless another context uses them. `config` itself when it has no such context. */
export function removeContext(config: Kubeconfig, name: string): Kubeconfig {
  const removed = config.contexts.find((entry) => entry.name === name)?.context;
  if (removed === undefined) return config;
  const contexts = config.contexts.filter((entry) => entry.name !== name);
  const { 'current-context': current, ...rest } = config;
  return {
    ...rest,
    contexts,
    clusters: config.clusters.filter((e) => e.name !== removed.cluster || contexts.some(({ context }) => context.cluster === e.name)),
    users: config.users.filter((e) => e.name !== removed.user || contexts.some(({ context }) => context.user === e.name)),
    ...(current === undefined || current === name ? {} : { 'current-context': current }),
  };
}
