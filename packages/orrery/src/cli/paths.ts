import { join } from 'node:path';

/** Where one cluster keeps its things. */
export interface ClusterPaths {
  /** The store, certificates and kubeconfig: what `reset` removes. Mode 0700. */
  readonly data: string;
  readonly store: string;
  readonly pki: string;
  readonly kubeconfig: string;
  /** The node's pods: volumes, logs, the runtime's records. */
  readonly node: string;
  /** The running server's own log. */
  readonly log: string;
  /** Who serves this cluster now: pid, address, version. */
  readonly instance: string;
}

export interface Paths {
  /** All clusters' folders are in it. */
  readonly clusters: string;
  /** Folders of nodes that joined clusters elsewhere are in it. */
  readonly joinedNodes: string;
  /** Where the user's kubectl looks. */
  readonly userKubeconfig: string;
  cluster(name: string): ClusterPaths;
}

/** Folders by the XDG base directory specification. Relative values are ignored, as the specification demands. */
export function pathsFrom(env: Readonly<Record<string, string | undefined>>, home: string): Paths {
  const dataHome = absolute(env['XDG_DATA_HOME']) ?? join(home, '.local/share');
  const clusters = join(dataHome, 'orrery');
  return {
    clusters,
    joinedNodes: join(dataHome, 'orrery-nodes'),
    userKubeconfig: env['KUBECONFIG']?.split(':').find((path) => path !== '') ?? join(home, '.kube/config'),
    cluster: (name) => pathsIn(join(clusters, name)),
  };
}

/** @param data - The cluster's folder, or that of a node that joined one elsewhere, which keeps no store. */
export function pathsIn(data: string): ClusterPaths {
  return {
    data,
    store: join(data, 'store'),
    pki: join(data, 'pki'),
    kubeconfig: join(data, 'kubeconfig'),
    node: join(data, 'node'),
    log: join(data, 'orrery.log'),
    instance: join(data, 'instance.json'),
  };
}

function absolute(path: string | undefined): string | undefined {
  return path?.startsWith('/') === true ? path : undefined;
}
