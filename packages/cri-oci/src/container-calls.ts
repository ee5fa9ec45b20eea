import { mkdir } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import {
  type ContainerConfig,
  type ContainerEventType,
  type NamespaceOption,
  type PodSandboxConfig,
  type Runtime,
  RuntimeError,
} from '@orrery/cri';
import { type Container, newContainer } from './container/container.ts';
import { type CreateInput, createSpec } from './container/create.ts';
import { updateResources } from './container/update.ts';
import type { ContainerRecord, SandboxRecord } from './records.ts';
import { isOnHost, sandboxPaths } from './sandbox/sandbox.ts';
import { sandboxState } from './sandbox/sandbox-state.ts';
import { podUsers, userNamespaceFile } from './sandbox/user-namespace.ts';
import type { SandboxNamespaces } from './spec/namespaces.ts';
import { containerOf, newId, type State, sandboxOf, visibleContainers } from './state.ts';
import { containerStats } from './stats.ts';
import { reopenLog } from './stream/attach.ts';
import { containerStatus, containerSummary, matchesContainer, sandboxStatus } from './views.ts';

/** With the sandbox, so that who listens needs not ask whose container it was. */
function tell(state: State, { id, sandboxId, internal }: ContainerRecord, type: ContainerEventType): void {
  if (internal === true) return;
  const sandbox = state.sandboxes.get(sandboxId);
  state.events.publish(id, type, sandbox === undefined ? undefined : sandboxStatus(sandbox, sandboxState(state, sandbox)));
}

/** Puts a container under the driver's eyes: its changes become events. */
export function track(state: State, record: ContainerRecord): Container {
  const { clock, host, helper, stateDirectory, sealedRuntime, exitsDirectory } = state;
  const container = newContainer(record, {
    records: state.containerRecords,
    host,
    helper,
    clock,
    stateDirectory,
    sealedRuntime,
    exitsDirectory,
    onChange: (changed) => {
      tell(state, record, changed.state === 'CONTAINER_RUNNING' ? 'CONTAINER_STARTED_EVENT' : 'CONTAINER_STOPPED_EVENT');
    },
  });
  state.containers.set(record.id, container);
  return container;
}

/** Ends a container and frees all that it has. The record goes last: whatever is interrupted is done again. */
export async function removeContainer(state: State, container: Container): Promise<void> {
  const { record } = container;
  if (!state.containers.has(record.id)) return;
  await container.release();
  await Promise.all([record.id, ...record.imageVolumes].map((id) => state.images.releaseSnapshot(id)));
  await state.containerRecords.remove(record.id);
  state.containers.delete(record.id);
  tell(state, record, 'CONTAINER_DELETED_EVENT');
}

function logPathOf(config: ContainerConfig, sandbox: SandboxRecord, given: PodSandboxConfig | undefined, directory: string): string {
  const { logPath = '' } = config;
  if (logPath === '') return join(directory, 'output.log'); // Attached clients read it.
  return isAbsolute(logPath) ? logPath : join(given?.logDirectory ?? sandbox.config.logDirectory ?? '', logPath);
}

/** What the sandbox lends to a container, as paths. */
function lentNamespaces(state: State, sandbox: SandboxRecord): SandboxNamespaces {
  const { netnsPath, pauseId, config } = sandbox;
  const pausePid = pauseId === undefined ? undefined : state.containers.get(pauseId)?.pid;
  return {
    ...(netnsPath === undefined ? {} : { network: netnsPath }),
    ...(isOnHost(config, 'ipc') ? {} : { ipc: sandboxPaths(state.sandboxRecords.directory(sandbox.id), config).ipc }),
    ...(pausePid === undefined ? {} : { pid: `/proc/${pausePid}/ns/pid` }),
    ...(podUsers(config) === undefined ? {} : { user: userNamespaceFile(state.sandboxRecords.directory(sandbox.id)) }),
  };
}

function targetPidNamespace(state: State, { pid, targetId = '' }: NamespaceOption): string | undefined {
  if (pid !== 'TARGET') return undefined;
  const target = containerOf(state, targetId);
  if (target.pid === undefined) throw new RuntimeError('FAILED_PRECONDITION', `target container "${targetId}" is not running`);
  return `/proc/${target.pid}/ns/pid`;
}

/** Where a sandbox's containers have their control groups. */
export const cgroupParent = ({ cgroupRoot }: State, { id, config }: SandboxRecord): string => {
  const parent = config.linux?.cgroupParent ?? '';
  return parent === '' ? `${cgroupRoot}/${id}` : parent.startsWith('/') ? parent : `/${parent}`;
};

async function createContainer(
  state: State,
  sandbox: SandboxRecord,
  config: ContainerConfig,
  given: PodSandboxConfig | undefined,
): Promise<string> {
  const { images, random, host, clock, containerRecords } = state;
  const reference = config.image?.image ?? '';
  const image = images.resolve(reference);
  if (image === undefined) throw new RuntimeError('NOT_FOUND', `failed to create container: image "${reference}" not found`);
  const id = newId(random);
  const directory = containerRecords.directory(id);
  const cgroupPath = `${cgroupParent(state, sandbox)}/${id}`;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const input: CreateInput = {
    id,
    config,
    sandbox,
    sandboxDirectory: state.sandboxRecords.directory(sandbox.id),
    namespaces: lentNamespaces(state, sandbox),
    targetPid: targetPidNamespace(state, config.linux?.securityContext?.namespaceOptions ?? {}),
    hostname: isOnHost(sandbox.config, 'network') ? state.hostname : (sandbox.config.hostname ?? ''),
    image,
    images,
    host,
    directory,
    rootsDirectory: podUsers(sandbox.config) === undefined ? directory : (state.userRoots ?? directory),
    cgroupPath,
  };
  try {
    const { user, config: recorded, upper, mounts, imageVolumes } = await createSpec(input);
    const record: ContainerRecord = {
      id,
      sandboxId: sandbox.id,
      config: recorded,
      logPath: logPathOf(config, sandbox, given, directory),
      imageId: image.id,
      imageRef: image.repoDigests[0] ?? image.id,
      user,
      stopSignal:
        config.stopSignal !== undefined && config.stopSignal !== 'RUNTIME_DEFAULT'
          ? config.stopSignal
          : (image.config.StopSignal ?? 'SIGTERM'),
      resources: config.linux?.resources ?? {},
      cgroupPath,
      createdAtMs: clock.now(),
      startedAtMs: 0,
      mounts,
      imageVolumes,
      ...(upper === undefined ? {} : { upper }),
    };
    await mkdir(dirname(record.logPath), { recursive: true, mode: 0o755 });
    await containerRecords.write(record);
    track(state, record);
    tell(state, record, 'CONTAINER_CREATED_EVENT');
  } catch (err) {
    await images.releaseSnapshot(id);
    for (let index = 0; index < (config.mounts?.length ?? 0); index += 1) await images.releaseSnapshot(`${id}-volume-${index}`);
    await containerRecords.remove(id);
    throw err;
  }
  return id;
}

type ContainerCalls =
  | 'createContainer'
  | 'startContainer'
  | 'stopContainer'
  | 'removeContainer'
  | 'listContainers'
  | 'containerStatus'
  | 'updateContainerResources'
  | 'reopenContainerLog'
  | 'listContainerStats';

export function containerCalls(state: State): Pick<Runtime, ContainerCalls> {
  const { containers, clock, host, images } = state;
  return {
    async createContainer({ podSandboxId, config = {}, sandboxConfig }) {
      const sandbox = sandboxOf(state, podSandboxId);
      if (sandboxState(state, sandbox) !== 'SANDBOX_READY')
        throw new RuntimeError('FAILED_PRECONDITION', `pod sandbox "${sandbox.id}" is not ready`);
      return { containerId: await createContainer(state, sandbox, config, sandboxConfig) };
    },
    async startContainer({ containerId }) {
      await containerOf(state, containerId).start();
      return {};
    },
    async stopContainer({ containerId = '', timeout = 0 }) {
      await containers.get(containerId)?.stop(timeout * 1000); // CRI: stopping what is gone succeeds.
      return {};
    },
    async removeContainer({ containerId = '' }) {
      const container = containers.get(containerId);
      if (container !== undefined) await removeContainer(state, container);
      return {};
    },
    async listContainers({ filter }) {
      return {
        containers: visibleContainers(state)
          .filter((container) => matchesContainer(container, filter))
          .map(containerSummary),
      };
    },
    async containerStatus({ containerId }) {
      return { status: containerStatus(containerOf(state, containerId)) };
    },
    async updateContainerResources({ containerId, linux = {} }) {
      const container = containerOf(state, containerId);
      await updateResources({ container, host, stateDirectory: state.stateDirectory }, linux);
      return {};
    },
    async reopenContainerLog({ containerId }) {
      const container = containerOf(state, containerId);
      if (container.state !== 'CONTAINER_RUNNING')
        throw new RuntimeError('FAILED_PRECONDITION', `container "${containerId}" is not running`);
      await reopenLog(container, clock);
      return {};
    },
    async listContainerStats({ filter }) {
      const running = visibleContainers(state).filter(
        (container) => container.state === 'CONTAINER_RUNNING' && matchesContainer(container, filter),
      );
      return { stats: await containerStats(running, { cgroups: host.cgroups, images, nowMs: clock.now() }) };
    },
  };
}
