import { deployments, nodes, pods } from '@orrery/api';
import type { Pod } from '@orrery/api/core/v1';
import type { Client, RawRequest, RawResponse, Transport } from '@orrery/client';

/** Nodes that nobody serves: their pods are what the test writes. */
export async function createNode(client: Client, name: string, pods = '110'): Promise<void> {
  const node = await client.create(nodes, { metadata: { name }, spec: {} });
  const allocatable = { cpu: '4', memory: '8Gi', pods };
  const conditions = [{ type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'ready' }];
  await client.updateStatus(nodes, { ...node, status: { allocatable, capacity: allocatable, conditions } } as never);
}

export interface PodOptions {
  readonly name: string;
  readonly namespace?: string;
  readonly node?: string;
  readonly owner?: { readonly kind: string; readonly name: string; readonly uid: string };
}

export async function createPod(client: Client, { name, namespace = 'default', node, owner }: PodOptions, status?: object): Promise<Pod> {
  const ownerReferences = owner === undefined ? undefined : [{ apiVersion: 'apps/v1', controller: true, ...owner }];
  const pod = await client.create<Pod>(pods, {
    metadata: { name, namespace, ownerReferences },
    spec: { nodeName: node, containers: [{ name: 'main', image: 'registry.example/app:1' }] },
  } as never);
  return status === undefined ? pod : client.updateStatus(pods, { ...pod, status } as never);
}

export const scheduled = { type: 'PodScheduled', status: 'True' };
const container = (state: object, ready: boolean, restartCount = 0) => ({
  name: 'main',
  image: 'registry.example/app:1',
  imageID: '',
  ready,
  restartCount,
  state,
});

export const statuses = {
  running: {
    phase: 'Running',
    conditions: [scheduled, { type: 'Ready', status: 'True' }],
    containerStatuses: [container({ running: {} }, true)],
  },
  creating: {
    phase: 'Pending',
    conditions: [scheduled],
    containerStatuses: [container({ waiting: { reason: 'ContainerCreating' } }, false)],
  },
  crashing: {
    phase: 'Running',
    conditions: [scheduled],
    containerStatuses: [
      {
        ...container({ waiting: { reason: 'CrashLoopBackOff', message: 'back-off 40s restarting failed container' } }, false, 7),
        lastState: { terminated: { exitCode: 3, reason: 'Error' } },
      },
    ],
  },
  pulling: {
    phase: 'Pending',
    conditions: [scheduled],
    containerStatuses: [container({ waiting: { reason: 'ErrImagePull', message: 'not found' } }, false)],
  },
  succeeded: {
    phase: 'Succeeded',
    conditions: [scheduled],
    containerStatuses: [container({ terminated: { exitCode: 0, reason: 'Completed' } }, false)],
  },
  unschedulable: {
    phase: 'Pending',
    conditions: [
      { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes are available: 3 Insufficient cpu.' },
    ],
  },
} as const;

export async function createDeployment(client: Client, name: string, replicas: number): Promise<void> {
  const template = { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image: 'registry.example/app:1' }] } };
  const spec = { replicas, selector: { matchLabels: { app: name } }, template };
  await client.create(deployments, { metadata: { name, namespace: 'default' }, spec } as never);
}

/** The same API server, with metrics and logs that the test writes: nothing runs here that would have any. */
export function withAnswers(transport: Transport, answers: (path: string) => string | undefined): Transport {
  return {
    ...transport,
    async raw(request: RawRequest, signal?: AbortSignal): Promise<RawResponse> {
      const text = answers(request.path);
      if (text === undefined) return transport.raw(request, signal);
      async function* body(): AsyncGenerator<Uint8Array> {
        yield Buffer.from(text ?? '');
      }
      return { status: 200, headers: {}, body: body() };
    },
  };
}
