import type {
  ContainerFilter,
  ContainerStatus,
  Container as ContainerView,
  PodSandbox,
  PodSandboxFilter,
  PodSandboxState,
  PodSandboxStatus,
  Signal,
} from '@orrery/cri';
import type { Container } from './container/container.ts';
import { NANOSECONDS_PER_MS } from './events.ts';
import type { SandboxRecord } from './records.ts';

/** Records as CRI shows them. */
export function sandboxSummary(sandbox: SandboxRecord, state: PodSandboxState): PodSandbox {
  const { id, config, createdAtMs, runtimeHandler } = sandbox;
  return {
    id,
    ...(config.metadata === undefined ? {} : { metadata: config.metadata }),
    state,
    createdAt: createdAtMs * NANOSECONDS_PER_MS,
    labels: config.labels ?? {},
    annotations: config.annotations ?? {},
    runtimeHandler,
  };
}

export function sandboxStatus(sandbox: SandboxRecord, state: PodSandboxState): PodSandboxStatus {
  const [ip = '', ...others] = sandbox.addresses;
  const options = sandbox.config.linux?.securityContext?.namespaceOptions;
  return {
    ...sandboxSummary(sandbox, state),
    network: { ip, additionalIps: others.map((address) => ({ ip: address })) },
    ...(options === undefined ? {} : { linux: { namespaces: { options } } }),
  };
}

export function containerSummary({ record, state }: Container): ContainerView {
  const { id, sandboxId, config, createdAtMs, imageRef, imageId } = record;
  return {
    id,
    podSandboxId: sandboxId,
    ...(config.metadata === undefined ? {} : { metadata: config.metadata }),
    ...(config.image === undefined ? {} : { image: config.image }),
    imageRef,
    imageId,
    state,
    createdAt: createdAtMs * NANOSECONDS_PER_MS,
    labels: config.labels ?? {},
    annotations: config.annotations ?? {},
  };
}

export function containerStatus(container: Container): ContainerStatus {
  const { record, exit, state } = container;
  const { id, config, createdAtMs, startedAtMs, startError, logPath, imageRef, imageId, user, resources, stopSignal } = record;
  const { metadata, image, labels = {}, annotations = {}, mounts = [] } = config;
  return {
    id,
    ...(metadata === undefined ? {} : { metadata }),
    ...(image === undefined ? {} : { image }),
    imageRef,
    imageId,
    createdAt: createdAtMs * NANOSECONDS_PER_MS,
    labels,
    annotations,
    state,
    startedAt: startedAtMs * NANOSECONDS_PER_MS,
    ...(exit === undefined ? {} : { finishedAt: exit.finishedAtMs * NANOSECONDS_PER_MS, exitCode: exit.code, reason: exit.reason }),
    ...(startError === undefined ? {} : { message: startError }),
    mounts,
    logPath,
    resources: { linux: resources },
    user: { linux: { uid: user.uid, gid: user.gid, supplementalGroups: user.additionalGids } },
    stopSignal: shownSignal(stopSignal),
  };
}

/** CRI's spelling of a signal: `SIGTERM`, `SIGRTMINPLUS3`. */
export function shownSignal(name: string): Signal {
  const plain = name.toUpperCase().replace(/^SIG/, '').replace('+', 'PLUS').replace('-', 'MINUS');
  return `SIG${plain}` as Signal;
}

const hasLabels = (labels: Readonly<Record<string, string>> = {}, wanted: Readonly<Record<string, string>> = {}): boolean =>
  Object.entries(wanted).every(([key, value]) => labels[key] === value);

/** All of a filter but the state. Ids may be given as prefixes, as CRI clients do. */
export const matchesSandbox = (sandbox: SandboxRecord, filter: PodSandboxFilter = {}): boolean =>
  sandbox.id.startsWith(filter.id ?? '') && hasLabels(sandbox.config.labels, filter.labelSelector);

export function matchesContainer({ record, state }: Container, filter: ContainerFilter = {}): boolean {
  const { id = '', podSandboxId = '', labelSelector } = filter;
  return (
    record.id.startsWith(id) &&
    record.sandboxId.startsWith(podSandboxId) &&
    (filter.state?.state ?? state) === state &&
    hasLabels(record.config.labels, labelSelector)
  );
}
