import { join } from 'node:path';

/** Where a pod's things lie below the kubelet's root directory. Layout as upstream's. */
export interface Directories {
  readonly root: string;
  readonly pods: string;
  /** One tmpfs for all volumes that must not come to disk, with a directory for each pod. */
  readonly memory: string;
  /** Of every pod: `<namespace>_<name>_<uid>/<container>/<n>.log`. */
  readonly logs: string;
  pod(uid: string): string;
  volumes(uid: string): string;
  /** One volume; `plugin` as `kubernetes.io/configmap`. */
  volume(uid: string, plugin: string, name: string): string;
  /** Of one pod, on {@link memory}. */
  memoryOf(uid: string): string;
  /** The same as {@link volume} on {@link memory}. */
  memoryVolume(uid: string, plugin: string, name: string): string;
  /** Places in volumes that containers mount by `subPath`: `<volume>/<container>/<n>`. */
  subPaths(uid: string): string;
  /** Termination messages of one container. */
  container(uid: string, name: string): string;
  etcHosts(uid: string): string;
  podLogs(pod: { readonly namespace: string; readonly name: string; readonly uid: string }): string;
}

export function newDirectories(root: string, podLogsDirectory: string): Directories {
  const pods = join(root, 'pods');
  const memory = join(root, 'memory');
  const pod = (uid: string): string => join(pods, uid);
  const volumes = (uid: string): string => join(pod(uid), 'volumes');
  return {
    root,
    pods,
    memory,
    logs: podLogsDirectory,
    pod,
    volumes,
    volume: (uid, plugin, name) => join(volumes(uid), plugin.replaceAll('/', '~'), name),
    memoryOf: (uid) => join(memory, uid),
    memoryVolume: (uid, plugin, name) => join(memory, uid, plugin.replaceAll('/', '~'), name),
    subPaths: (uid) => join(pod(uid), 'volume-subpaths'),
    container: (uid, name) => join(pod(uid), 'containers', name),
    etcHosts: (uid) => join(pod(uid), 'etc-hosts'),
    podLogs: ({ namespace, name, uid }) => join(podLogsDirectory, `${namespace}_${name}_${uid}`),
  };
}
