import { nodes as nodeResource, pods as podResource } from '@orrery/api';
import { loadKubeconfig, newClient, transportFromKubeconfig } from '@orrery/client';
import type { ClusterPaths } from '../cli/paths.ts';
import { type Instance, runningInstance } from './instance.ts';

export interface StoppedCluster {
  readonly name: string;
  readonly running: false;
  readonly data: string;
}
export interface RunningCluster extends Omit<Instance, 'startTicks' | 'node' | 'notes' | 'phase'> {
  readonly name: string;
  readonly running: true;
  readonly data: string;
  readonly kubeconfig: string;
  /** `ok`, `starting`, or why the API server did not answer. */
  readonly apiServer: string;
  readonly nodes: readonly { readonly name: string; readonly ready: boolean; readonly pods: number }[];
}
export type ClusterStatus = StoppedCluster | RunningCluster;

/** What a user asks first: does it run, where, and how is it. Never throws for a cluster that is down or sick. */
export async function statusOf(name: string, paths: ClusterPaths, signal: AbortSignal): Promise<ClusterStatus> {
  const instance = await runningInstance(paths.instance);
  if (instance === undefined || instance.phase === 'ending') return { name, running: false, data: paths.data };
  const { pid, url, version, startedAt, runtime } = instance;
  const common = { name, running: true, data: paths.data, kubeconfig: paths.kubeconfig, pid, url, version, startedAt, runtime } as const;
  if (instance.phase === 'starting') return { ...common, apiServer: 'starting', nodes: [] };
  try {
    return { ...common, apiServer: 'ok', nodes: await nodesOf(paths.kubeconfig, signal) };
  } catch (err) {
    return { ...common, apiServer: err instanceof Error ? err.message : String(err), nodes: [] };
  }
}

async function nodesOf(kubeconfig: string, signal: AbortSignal): Promise<RunningCluster['nodes']> {
  const transport = await transportFromKubeconfig(await loadKubeconfig([kubeconfig]));
  try {
    const client = newClient(transport);
    const [nodes, pods] = await Promise.all([
      client.list(nodeResource, { signal }),
      client.list(podResource, { signal, resourceVersion: '0' }),
    ]);
    return nodes.items.map((node) => ({
      name: node.metadata.name,
      ready: node.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false,
      pods: pods.items.filter((pod) => pod.spec.nodeName === node.metadata.name).length,
    }));
  } finally {
    await transport.close();
  }
}
