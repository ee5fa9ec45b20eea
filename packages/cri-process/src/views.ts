import type {
  ContainerFilter,
  ContainerStatus,
  Container as ContainerView,
  PodSandbox,
  PodSandboxFilter,
  PodSandboxStatus,
} from '@orrery/cri';
import type { Container } from './container.ts';
import { NANOSECONDS_PER_MS } from './events.ts';
import type { RecordedConfig, SandboxRecord } from './records.ts';

/** Records as CRI shows them. */
export function sandboxSummary({ id, config, createdAtMs, stopped }: SandboxRecord): PodSandbox {
  return {
    id,
    ...(config.metadata === undefined ? {} : { metadata: config.metadata }),
    state: stopped ? 'SANDBOX_NOTREADY' : 'SANDBOX_READY',
    createdAt: createdAtMs * NANOSECONDS_PER_MS,
    labels: config.labels ?? {},
    annotations: config.annotations ?? {},
  };
}

export function sandboxStatus(sandbox: SandboxRecord): PodSandboxStatus {
  return { ...sandboxSummary(sandbox), network: { ip: sandbox.address, additionalIps: [] } };
}

const imageRefOf = ({ image }: RecordedConfig): string => image?.image ?? '';

export function containerSummary({ record, state }: Container): ContainerView {
  const { id, sandboxId, config, createdAtMs } = record;
  return {
    id,
    podSandboxId: sandboxId,
    ...(config.metadata === undefined ? {} : { metadata: config.metadata }),
    ...(config.image === undefined ? {} : { image: config.image }),
    imageRef: imageRefOf(config),
    state,
    createdAt: createdAtMs * NANOSECONDS_PER_MS,
    labels: config.labels ?? {},
    annotations: config.annotations ?? {},
  };
}

export function containerStatus(container: Container): ContainerStatus {
  const { record, exit, state } = container;
  const { config, startedAtMs, startError, logPath } = record;
  const { id, metadata, image, imageRef, createdAt, labels, annotations } = containerSummary(container);
  const reason = startError !== undefined ? 'StartError' : exit?.code === 0 ? 'Completed' : 'Error';
  const ended = exit === undefined ? {} : { finishedAt: exit.finishedAtMs * NANOSECONDS_PER_MS, exitCode: exit.code, reason };
  return {
    ...(id === undefined ? {} : { id }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(image === undefined ? {} : { image }),
    ...(imageRef === undefined ? {} : { imageRef }),
    ...(createdAt === undefined ? {} : { createdAt }),
    labels: labels ?? {},
    annotations: annotations ?? {},
    state,
    startedAt: startedAtMs * NANOSECONDS_PER_MS,
    ...ended,
    ...(startError === undefined ? {} : { message: startError }),
    mounts: config.mounts ?? [],
    ...(logPath === undefined ? {} : { logPath }),
  };
}

const hasLabels = (labels: Readonly<Record<string, string>> = {}, wanted: Readonly<Record<string, string>> = {}): boolean =>
  Object.entries(wanted).every(([key, value]) => labels[key] === value);

/** Ids may be given as prefixes, as CRI clients do. */
export function matchesSandbox(sandbox: SandboxRecord, filter: PodSandboxFilter = {}): boolean {
  const state = sandbox.stopped ? 'SANDBOX_NOTREADY' : 'SANDBOX_READY';
  return (
    sandbox.id.startsWith(filter.id ?? '') &&
    (filter.state?.state ?? state) === state &&
    hasLabels(sandbox.config.labels, filter.labelSelector)
  );
}

export function matchesContainer({ record, state }: Container, filter: ContainerFilter = {}): boolean {
  const { id = '', podSandboxId = '', labelSelector } = filter;
  return (
    record.id.startsWith(id) &&
    record.sandboxId.startsWith(podSandboxId) &&
    (filter.state?.state ?? state) === state &&
    hasLabels(record.config.labels, labelSelector)
  );
}

/** The signal that asks a container to end. CRI writes real-time signals as SIGRTMINPLUS1. */
export function stopSignalOf({ stopSignal }: RecordedConfig): NodeJS.Signals {
  return stopSignal === undefined || stopSignal === 'RUNTIME_DEFAULT' || stopSignal.startsWith('SIGRT')
    ? 'SIGTERM'
    : (stopSignal as NodeJS.Signals);
}
