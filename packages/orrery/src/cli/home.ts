import { join, resolve } from 'node:path';
import { nodeNameOf } from '../cluster/hosts.ts';
import { clusterNameOf, nameOption, type OptionSpec, type Parsed, stringFlag, UsageError } from './command.ts';
import { type ClusterPaths, type Paths, pathsIn } from './paths.ts';

/** What a command works on: a cluster of this machine, or a node that joined one elsewhere. */
export interface Home {
  /** For people: `cluster "default"`, `node "box2"`. */
  readonly label: string;
  /** The flags that mean it, with a space before them; empty for the default cluster. */
  readonly flags: string;
  /** How it is started. */
  readonly start: string;
  /** Undefined for a joined node. */
  readonly cluster: string | undefined;
  readonly paths: ClusterPaths;
}

/** Options of a command that works on a cluster or on a joined node. */
export const homeOptions = {
  name: nameOption,
  'node-name': { type: 'string', placeholder: '<name>', description: 'work on a node that joined by "orrery node", instead of a cluster' },
  'data-dir': { type: 'string', placeholder: '<dir>', description: "that node's folder, when it was given one" },
} satisfies Readonly<Record<string, OptionSpec>>;

export function homeOf(parsed: Parsed, paths: Paths): Home {
  const { flags } = parsed;
  const [nodeName, folder] = [stringFlag(flags['node-name']), stringFlag(flags['data-dir'])];
  if (nodeName === undefined && folder === undefined) return clusterHome(clusterNameOf(parsed), paths);
  if (flags['name'] !== undefined) throw new UsageError('--name means a cluster: it may not be used with --node-name or --data-dir');
  return joinedNodeHome(nodeName === undefined ? undefined : nodeNameOf(nodeName), folder, paths);
}

export const clusterHome = (cluster: string, paths: Paths): Home => ({
  label: `cluster "${cluster}"`,
  flags: cluster === 'default' ? '' : ` --name ${cluster}`,
  start: 'orrery up',
  cluster,
  paths: paths.cluster(cluster),
});

/** @param nodeName - May be undefined when there is a folder. */
export function joinedNodeHome(nodeName: string | undefined, folder: string | undefined, { joinedNodes }: Paths): Home {
  const data = resolve(folder ?? join(joinedNodes, nodeName ?? ''));
  return {
    label: nodeName === undefined ? `the node in ${data}` : `node "${nodeName}"`,
    flags: `${nodeName === undefined ? '' : ` --node-name ${nodeName}`}${folder === undefined ? '' : ` --data-dir ${folder}`}`,
    start: 'orrery node',
    cluster: undefined,
    paths: pathsIn(data),
  };
}
