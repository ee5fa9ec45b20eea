import { join } from 'node:path';

/** Where a pod's things lie below the kubelet's root directory. Layout as upstream's. */
export interface Directories {
  readonly pods: string;
  /** Of every pod: `<namespace>_<name>_<uid>/<container>/<n>.log`. */
  readonly logs: string;
  pod(uid: string): string;
  volumes(uid: string): string;
  /** One volume; `plugin` as `kubernetes.io/configmap`. */
  volume(uid: string, plugin: string, name: string): string;
  /** Termination messages of one container. */
  container(uid: string, name: string): string;
  etcHosts(uid: string): string;
  podLogs(pod: { readonly namespace: string; readonly name: string; readonly uid: string }): string;
}

export function newDirectories(root: string, podLogsDirectory: string): Directories {
  const pods = join(root, 'pods');
  const pod = (uid: string): string => join(pods, uid);
  const volumes = (uid: string): string => join(pod(uid), 'volumes');
  return {
    pods,
    logs: podLogsDirectory,
    pod,
    volumes,
    volume: (uid, plugin, name) => join(volumes(uid), plugin.replaceAll('/', '~'), name),
    container: (uid, name) => join(pod(uid), 'containers', name),
    etcHosts: (uid) => join(pod(uid), 'etc-hosts'),
    podLogs: ({ namespace, name, uid }) => join(podLogsDirectory, `${namespace}_${name}_${uid}`),
  };
}
