import type { Clock } from '@orrery/base';
import { newQueue, type Queue } from '@orrery/base';
import {
  type ContainerEventResponse,
  type ContainerEventType,
  type Container as CriContainer,
  type ContainerStatus as CriContainerStatus,
  type PodSandbox,
  type PodSandboxStatus,
  type Runtime,
  RuntimeError,
} from '@orrery/cri';

export interface HollowRuntimeOptions {
  readonly clock: Clock;
  /** First two numbers of pods' addresses, as `10.88`. @default '10.244' */
  readonly subnet?: string;
}

/** A runtime in which containers start at once, run nothing, and stay until they are stopped. */
export interface HollowRuntime extends Runtime {
  /** Lets a running container end by itself. */
  exit(containerId: string, exitCode: number): void;
}

const EVENTS_MAX = 10_000;
const NANOS_PER_MS = 1e6;
const matches = (labels: Readonly<Record<string, string>> | undefined, selector: Readonly<Record<string, string>> | undefined): boolean =>
  Object.entries(selector ?? {}).every(([key, value]) => labels?.[key] === value);

interface State {
  readonly clock: Clock;
  readonly subnet: string;
  readonly sandboxes: Map<string, PodSandboxStatus>;
  readonly containers: Map<string, CriContainerStatus & { readonly sandboxId: string }>;
  readonly listeners: Set<Queue<ContainerEventResponse>>;
  made: number;
}

const nowOf = ({ clock }: State): number => clock.now() * NANOS_PER_MS;

function sandboxOf(state: State, id: string | undefined): PodSandboxStatus {
  const found = state.sandboxes.get(id ?? '');
  if (found === undefined) throw new RuntimeError('NOT_FOUND', `pod sandbox ${id} not found`);
  return found;
}

function containerOf(state: State, id: string | undefined) {
  const found = state.containers.get(id ?? '');
  if (found === undefined) throw new RuntimeError('NOT_FOUND', `container ${id} not found`);
  return found;
}

function tell(state: State, type: ContainerEventType, containerId: string, sandboxId: string): void {
  const podSandboxStatus = state.sandboxes.get(sandboxId);
  const event: ContainerEventResponse = {
    containerId,
    containerEventType: type,
    createdAt: nowOf(state),
    ...(podSandboxStatus === undefined ? {} : { podSandboxStatus }),
  };
  for (const listener of state.listeners) if (!listener.push(event)) listener.close(new Error('the listener is too slow'));
}

function end(state: State, id: string, exitCode: number): void {
  const container = containerOf(state, id);
  if (container.state !== 'CONTAINER_RUNNING') return;
  const reason = exitCode === 0 ? 'Completed' : 'Error';
  state.containers.set(id, { ...container, state: 'CONTAINER_EXITED', exitCode, reason, finishedAt: nowOf(state) });
  tell(state, 'CONTAINER_STOPPED_EVENT', id, container.sandboxId);
}

type SandboxCalls = 'runPodSandbox' | 'stopPodSandbox' | 'removePodSandbox' | 'podSandboxStatus' | 'listPodSandbox';

function sandboxCalls(state: State): Pick<Runtime, SandboxCalls> {
  const children = (id: string) => [...state.containers.values()].filter(({ sandboxId }) => sandboxId === id);
  return {
    async runPodSandbox({ config = {} }) {
      state.made += 1;
      const id = `sandbox-${state.made}`;
      state.sandboxes.set(id, {
        id,
        metadata: config.metadata ?? {},
        state: 'SANDBOX_READY',
        createdAt: nowOf(state) + state.made, // Later ones are newer, also within one millisecond.
        network: { ip: `${state.subnet}.${Math.floor(state.made / 250) % 250}.${(state.made % 250) + 2}` },
        linux: { namespaces: { options: config.linux?.securityContext?.namespaceOptions ?? {} } },
        labels: config.labels ?? {},
        annotations: config.annotations ?? {},
      });
      return { podSandboxId: id };
    },
    async stopPodSandbox({ podSandboxId = '' }) {
      const sandbox = sandboxOf(state, podSandboxId);
      for (const { id = '' } of children(podSandboxId)) end(state, id, 137);
      state.sandboxes.set(podSandboxId, { ...sandbox, state: 'SANDBOX_NOTREADY', network: {} });
      return {};
    },
    async removePodSandbox({ podSandboxId = '' }) {
      for (const { id = '' } of children(podSandboxId)) state.containers.delete(id);
      state.sandboxes.delete(podSandboxId);
      return {};
    },
    podSandboxStatus: async ({ podSandboxId }) => ({ status: sandboxOf(state, podSandboxId) }),
    async listPodSandbox({ filter }) {
      const items = [...state.sandboxes.values()].filter(({ labels }) => matches(labels, filter?.labelSelector));
      return { items: items as readonly PodSandbox[] };
    },
  };
}

type ContainerCalls = 'createContainer' | 'startContainer' | 'stopContainer' | 'removeContainer' | 'listContainers' | 'containerStatus';

function containerCalls(state: State): Pick<Runtime, ContainerCalls> {
  return {
    async createContainer({ podSandboxId = '', config = {}, sandboxConfig }) {
      sandboxOf(state, podSandboxId);
      state.made += 1;
      const id = `container-${state.made}`;
      state.containers.set(id, {
        id,
        sandboxId: podSandboxId,
        metadata: config.metadata ?? {},
        state: 'CONTAINER_CREATED',
        createdAt: nowOf(state) + state.made,
        image: config.image ?? {},
        imageRef: config.image?.image ?? '',
        labels: config.labels ?? {},
        annotations: config.annotations ?? {},
        mounts: config.mounts ?? [],
        logPath: `${sandboxConfig?.logDirectory ?? ''}/${config.logPath ?? ''}`,
      });
      tell(state, 'CONTAINER_CREATED_EVENT', id, podSandboxId);
      return { containerId: id };
    },
    async startContainer({ containerId = '' }) {
      const container = containerOf(state, containerId);
      state.containers.set(containerId, { ...container, state: 'CONTAINER_RUNNING', startedAt: nowOf(state) });
      tell(state, 'CONTAINER_STARTED_EVENT', containerId, container.sandboxId);
      return {};
    },
    async stopContainer({ containerId = '' }) {
      if (state.containers.has(containerId)) end(state, containerId, 0);
      return {};
    },
    async removeContainer({ containerId = '' }) {
      state.containers.delete(containerId);
      return {};
    },
    containerStatus: async ({ containerId }) => ({ status: containerOf(state, containerId) }),
    async listContainers({ filter }) {
      const found = [...state.containers.values()].filter(
        ({ labels, sandboxId }) =>
          matches(labels, filter?.labelSelector) && (filter?.podSandboxId === undefined || filter.podSandboxId === sandboxId),
      );
      return { containers: found.map(({ sandboxId, ...rest }) => ({ ...rest, podSandboxId: sandboxId })) as readonly CriContainer[] };
    },
  };
}

async function* events(state: State, signal: AbortSignal | undefined): AsyncIterable<ContainerEventResponse> {
  const queue = newQueue<ContainerEventResponse>({ capacity: EVENTS_MAX });
  const onAbort = (): void => queue.abort();
  signal?.addEventListener('abort', onAbort, { once: true });
  state.listeners.add(queue);
  try {
    yield* queue;
  } finally {
    state.listeners.delete(queue);
    signal?.removeEventListener('abort', onAbort);
  }
}

const refuse = async (): Promise<never> => {
  throw new RuntimeError('UNIMPLEMENTED', 'a hollow node runs nothing');
};

export function newHollowRuntime({ clock, subnet = '10.244' }: HollowRuntimeOptions): HollowRuntime {
  const state: State = { clock, subnet, sandboxes: new Map(), containers: new Map(), listeners: new Set(), made: 0 };
  return {
    ...sandboxCalls(state),
    ...containerCalls(state),
    version: async () => ({ version: '0.1.0', runtimeName: 'hollow', runtimeVersion: '1.0.0', runtimeApiVersion: 'v1' }),
    status: async () => ({
      status: { conditions: ['RuntimeReady', 'NetworkReady'].map((type) => ({ type, status: true, reason: '', message: '' })) },
    }),
    getContainerEvents: (_, signal) => events(state, signal),
    updateContainerResources: async () => ({}),
    reopenContainerLog: async () => ({}),
    listContainerStats: async () => ({ stats: [] }),
    listImages: async () => ({ images: [] }),
    imageStatus: async ({ image }) => ({ image: { id: image?.image ?? '', repoTags: [image?.image ?? ''], size: 0 } }),
    pullImage: async ({ image }) => ({ imageRef: image?.image ?? '' }),
    removeImage: async () => ({}),
    imageFsInfo: async () => ({ imageFilesystems: [], containerFilesystems: [] }),
    execSync: refuse,
    exec: refuse,
    attach: refuse,
    portForward: refuse,
    exit: (containerId, exitCode) => end(state, containerId, exitCode),
    async close() {
      for (const listener of state.listeners) listener.abort();
    },
  };
}
