import { mkdir } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { Clock, Random } from '@orrery/base';
import { type Runtime, RuntimeError } from '@orrery/cri';
import { type AddressPool, newAddressPool } from './addresses.ts';
import { attachToContainer } from './attach.ts';
import { privilegeArguments, resolveProgram } from './command.ts';
import { type Container, newContainer } from './container.ts';
import { type EventHub, newEventHub } from './events.ts';
import { type ExecInput, execInContainer, execSync } from './exec.ts';
import { type HostAbilities, probeHost } from './host.ts';
import type { ImageMap } from './image-map.ts';
import { newImages } from './images.ts';
import { forwardPort } from './port-forward.ts';
import { type ContainerRecord, newRecords, type Records, recordedConfig, type SandboxRecord } from './records.ts';
import { checkContainer, checkSandbox } from './refusals.ts';
import { withResolvConf, writeResolvConf } from './resolv-conf.ts';
import { containerStats } from './stats.ts';
import {
  containerStatus,
  containerSummary,
  matchesContainer,
  matchesSandbox,
  sandboxStatus,
  sandboxSummary,
  stopSignalOf,
} from './views.ts';

export interface ProcessRuntimeOptions {
  /** Records, raw output and mount points; mode 0700. One driver at a time uses it. */
  readonly directory: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly imageMap: ImageMap;
  /** What every container's environment begins with: PATH at least. */
  readonly environment: Readonly<Record<string, string>>;
  /** Address of pods on the host's network. */
  readonly hostAddress: string;
}

export interface ProcessRuntime extends Runtime {
  readonly host: HostAbilities;
  /** A loopback address of this node that no pod has. */
  readonly nodeAddress: string;
}

interface State extends ProcessRuntimeOptions {
  readonly host: HostAbilities;
  readonly addresses: AddressPool;
  readonly events: EventHub;
  readonly sandboxRecords: Records<SandboxRecord>;
  readonly containerRecords: Records<ContainerRecord>;
  /** Owner: this runtime. Replaced whole on change. */
  readonly sandboxes: Map<string, SandboxRecord>;
  readonly containers: Map<string, Container>;
}

/** Opens the driver and takes up what an earlier one left running. */
export async function openProcessRuntime(options: ProcessRuntimeOptions): Promise<ProcessRuntime> {
  const { directory, clock } = options;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const state: State = {
    ...options,
    host: await probeHost(options.environment['PATH'] ?? ''),
    addresses: newAddressPool(directory),
    events: newEventHub(clock),
    sandboxRecords: newRecords<SandboxRecord>(join(directory, 'sandboxes')),
    containerRecords: newRecords<ContainerRecord>(join(directory, 'containers')),
    sandboxes: new Map(),
    containers: new Map(),
  };
  for (const sandbox of await state.sandboxRecords.all()) {
    state.sandboxes.set(sandbox.id, sandbox);
    state.addresses.reserve(sandbox.address);
  }
  const records = await state.containerRecords.all();
  await Promise.all(records.map((record) => adopt(state, record)));
  return {
    host: state.host,
    nodeAddress: state.addresses.node,
    ...runtimeCalls(state),
    ...sandboxCalls(state),
    ...containerCalls(state),
    ...streamingCalls(state),
    ...newImages(options),
  };
}

async function adopt(state: State, record: ContainerRecord): Promise<void> {
  const container = track(state, record);
  await container.adopt();
}

function track(state: State, record: ContainerRecord): Container {
  const { clock, host, events } = state;
  const container = newContainer(record, {
    records: state.containerRecords,
    host,
    clock,
    onChange: (changed) =>
      events.publish(record.id, changed.state === 'CONTAINER_RUNNING' ? 'CONTAINER_STARTED_EVENT' : 'CONTAINER_STOPPED_EVENT'),
  });
  state.containers.set(record.id, container);
  return container;
}

function sandboxOf({ sandboxes }: State, id = ''): SandboxRecord {
  const sandbox = sandboxes.get(id);
  if (sandbox === undefined) throw new RuntimeError('NOT_FOUND', `pod sandbox "${id}" not found`);
  return sandbox;
}

function containerOf({ containers }: State, id = ''): Container {
  const container = containers.get(id);
  if (container === undefined) throw new RuntimeError('NOT_FOUND', `container "${id}" not found`);
  return container;
}

const newId = (random: Random): string => Buffer.from(random.bytes(32)).toString('hex'); // As containerd's: 64 hexadecimal digits.

function runtimeCalls({ events, containers, host }: State): Pick<Runtime, 'version' | 'status' | 'getContainerEvents' | 'close'> {
  return {
    version: async () => ({ version: '0.1.0', runtimeName: 'orrery-process', runtimeVersion: '0.1.0', runtimeApiVersion: 'v1' }),
    status: async () => ({
      status: {
        conditions: [
          { type: 'RuntimeReady', status: true },
          { type: 'NetworkReady', status: true },
        ],
      },
      info: { isolation: host.isolation, notes: host.notes.join('\n') },
    }),
    getContainerEvents: (_request, signal) => events.subscribe(signal),
    async close() {
      events.close();
      await Promise.all([...containers.values()].map((container) => container.detach()));
    },
  };
}

type SandboxCalls = 'runPodSandbox' | 'stopPodSandbox' | 'removePodSandbox' | 'podSandboxStatus' | 'listPodSandbox';

function sandboxCalls(state: State): Pick<Runtime, SandboxCalls> {
  const { sandboxes, sandboxRecords, containers, addresses, clock, random, hostAddress } = state;
  const containersIn = (id: string): Container[] => [...containers.values()].filter(({ record }) => record.sandboxId === id);
  const put = async (record: SandboxRecord): Promise<void> => {
    await sandboxRecords.write(record);
    sandboxes.set(record.id, record);
  };
  const stop = async (id: string): Promise<void> => {
    const sandbox = sandboxes.get(id);
    if (sandbox === undefined) return; // CRI: stopping what is gone succeeds.
    await Promise.all(containersIn(id).map((container) => container.stop('SIGKILL', 0)));
    if (!sandbox.stopped) await put({ ...sandbox, stopped: true });
    if (sandbox.address !== hostAddress) addresses.release(sandbox.address);
  };
  return {
    async runPodSandbox({ config = {} }) {
      checkSandbox(config);
      const onHost = config.linux?.securityContext?.namespaceOptions?.network === 'NODE';
      const id = newId(random);
      const address = onHost ? hostAddress : addresses.take();
      await put({ id, config, address, createdAtMs: clock.now(), stopped: false });
      await writeResolvConf(sandboxRecords.directory(id), config);
      if (config.logDirectory !== undefined && config.logDirectory !== '')
        await mkdir(config.logDirectory, { recursive: true, mode: 0o755 });
      return { podSandboxId: id };
    },
    async stopPodSandbox({ podSandboxId = '' }) {
      await stop(podSandboxId);
      return {};
    },
    async removePodSandbox({ podSandboxId = '' }) {
      await stop(podSandboxId);
      for (const container of containersIn(podSandboxId)) await removeContainer(state, container);
      sandboxes.delete(podSandboxId);
      await sandboxRecords.remove(podSandboxId);
      return {};
    },
    async podSandboxStatus({ podSandboxId }) {
      return { status: sandboxStatus(sandboxOf(state, podSandboxId)) };
    },
    async listPodSandbox({ filter }) {
      return { items: [...sandboxes.values()].filter((sandbox) => matchesSandbox(sandbox, filter)).map(sandboxSummary) };
    },
  };
}

async function removeContainer({ containers, events }: State, container: Container): Promise<void> {
  await container.remove();
  containers.delete(container.record.id);
  events.publish(container.record.id, 'CONTAINER_DELETED_EVENT');
}

function execInput(state: State, container: Container, command: readonly string[]): ExecInput {
  const { host } = state;
  return {
    container,
    program: programOf(state, container.record),
    privileges: privilegeArguments(container.record.config, host),
    command,
    host,
  };
}

function programOf(state: State, record: ContainerRecord) {
  const { config: sandbox, address } = sandboxOf(state, record.sandboxId);
  return resolveProgram({ id: record.id, config: record.config, sandbox, address, imageMap: state.imageMap, defaults: state.environment });
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

function containerCalls(state: State): Pick<Runtime, ContainerCalls> {
  const { containers, containerRecords, sandboxRecords, clock, random, host } = state;
  return {
    async createContainer({ podSandboxId, config = {}, sandboxConfig }) {
      const sandbox = sandboxOf(state, podSandboxId);
      if (sandbox.stopped) throw new RuntimeError('FAILED_PRECONDITION', `pod sandbox "${sandbox.id}" is stopped`);
      checkContainer(config, host);
      const logDirectory = sandboxConfig?.logDirectory ?? sandbox.config.logDirectory ?? '';
      const logPath =
        config.logPath === undefined || config.logPath === ''
          ? undefined
          : isAbsolute(config.logPath)
            ? config.logPath
            : join(logDirectory, config.logPath);
      const record: ContainerRecord = {
        id: newId(random),
        sandboxId: sandbox.id,
        config: withResolvConf(recordedConfig(config), sandbox.config, sandboxRecords.directory(sandbox.id)),
        logPath,
        createdAtMs: clock.now(),
        startedAtMs: 0,
        logBase: { stdout: 0, stderr: 0 },
        supervisorPid: 0,
      };
      programOf(state, record); // Refuses now what could not start later.
      await containerRecords.write(record);
      track(state, record);
      state.events.publish(record.id, 'CONTAINER_CREATED_EVENT');
      return { containerId: record.id };
    },
    async startContainer({ containerId }) {
      const container = containerOf(state, containerId);
      await container.start(programOf(state, container.record));
      return {};
    },
    async stopContainer({ containerId = '', timeout = 0 }) {
      const container = containers.get(containerId);
      await container?.stop(stopSignalOf(container.record.config), timeout * 1000);
      return {};
    },
    async removeContainer({ containerId = '' }) {
      const container = containers.get(containerId);
      if (container !== undefined) await removeContainer(state, container);
      return {};
    },
    async listContainers({ filter }) {
      return { containers: [...containers.values()].filter((container) => matchesContainer(container, filter)).map(containerSummary) };
    },
    async containerStatus({ containerId }) {
      return { status: containerStatus(containerOf(state, containerId)) };
    },
    async updateContainerResources({ containerId }) {
      containerOf(state, containerId); // Limits are not enforced, so a change of them is nothing to do.
      return {};
    },
    async reopenContainerLog({ containerId }) {
      await containerOf(state, containerId).reopenLog();
      return {};
    },
    async listContainerStats({ filter }) {
      const wanted = [...containers.values()].filter((container) => matchesContainer(container, filter));
      return { stats: await containerStats(wanted, clock.now()) };
    },
  };
}

function streamingCalls(state: State): Pick<Runtime, 'exec' | 'execSync' | 'attach' | 'portForward'> {
  const { clock } = state;
  return {
    exec({ containerId, command, tty }, streams, signal) {
      return execInContainer(execInput(state, containerOf(state, containerId), command), tty, streams, signal);
    },
    async execSync({ containerId, cmd = [], timeout = 0 }, signal) {
      const input = execInput(state, containerOf(state, containerId), cmd);
      return execSync(input, timeout * 1000, (ms, fn) => clock.after(ms, fn), signal);
    },
    async attach({ containerId, tty }, streams, signal) {
      const container = containerOf(state, containerId);
      if (container.state !== 'CONTAINER_RUNNING')
        throw new RuntimeError('FAILED_PRECONDITION', `container "${containerId}" is not running`);
      await attachToContainer(container, tty, streams, signal);
    },
    async portForward({ podSandboxId, port }, stream, signal) {
      await forwardPort(sandboxOf(state, podSandboxId).address, port, stream, signal);
    },
  };
}
