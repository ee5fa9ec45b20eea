import { mkdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import type { Clock, Random } from '@orrery/base';
import { type PodNetwork, type Runtime, RuntimeError } from '@orrery/cri';
import { watchExits } from './container/exits.ts';
import { containerCalls, removeContainer, track } from './container-calls.ts';
import { newEventHub } from './events.ts';
import { newHelper } from './host/helper.ts';
import { type Host, probeHost } from './host/host.ts';
import { makePrivate } from './host/private-mount.ts';
import { findUserRoots } from './host/user-roots.ts';
import { newImageService } from './images/image-service.ts';
import type { ImageStore } from './images/image-store.ts';
import { isInitialUserNamespace } from './images/tar/unpack-layer.ts';
import { type ContainerRecord, newRecords, type SandboxRecord } from './records.ts';
import { removeSandbox, sandboxCalls } from './sandbox-calls.ts';
import { containerOf, type State, sandboxOf } from './state.ts';
import { attachToContainer } from './stream/attach.ts';
import { execInContainer, execSync } from './stream/exec.ts';
import { forwardPort } from './stream/port-forward.ts';

export interface OciRuntimeOptions {
  /** Records, specifications, sockets; mode 0700. One driver at a time uses it. */
  readonly directory: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Names what this driver makes on the machine: `[a-z0-9]{1,8}`. */
  readonly instanceId: string;
  readonly network: PodNetwork;
  readonly images: ImageStore;
  /** `crun`, `runc`, or a path. @default the first of them that works here */
  readonly ociRuntime?: string | undefined;
  /** PATH is where programs are looked for. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Of control groups for sandboxes that name none. @default `/orrery-<instanceId>` */
  readonly cgroupRoot?: string | undefined;
  /** Shown as addresses of pods on the host's network. @default 127.0.0.1 */
  readonly hostAddresses?: readonly string[] | undefined;
}

export interface OciRuntime extends Runtime {
  readonly host: Host;
  /** For people: what is missing on this machine. Said once. */
  readonly notes: readonly string[];
}

/**
 * Opens the driver, takes up what an earlier one left running, and cleans up what it left half-made.
 * @throws {RuntimeError} `FAILED_PRECONDITION` when containers cannot run on this machine.
 */
export async function openOciRuntime(options: OciRuntimeOptions): Promise<OciRuntime> {
  const { directory, clock, random, instanceId, network, images, hostAddresses = ['127.0.0.1'] } = options;
  const host = await probeHost(clock, options.environment['PATH'], options.ociRuntime);
  const [stateDirectory, exitsDirectory] = [join(directory, 'runtime'), join(directory, 'exits')];
  for (const path of [directory, stateDirectory, exitsDirectory]) await mkdir(path, { recursive: true, mode: 0o700 });
  await makePrivate(directory);
  const state: State = {
    directory,
    stateDirectory,
    exitsDirectory,
    sealedRuntime: await makeSealedRuntime(directory, host),
    cgroupRoot: options.cgroupRoot ?? `/orrery-${instanceId}`,
    clock,
    random,
    host,
    helper: newHelper(host.path),
    network,
    hostAddresses,
    hostname: hostname(),
    images,
    events: newEventHub(clock),
    userRoots: findUserRoots(host, instanceId),
    sandboxRecords: newRecords<SandboxRecord>(join(directory, 'sandboxes')),
    containerRecords: newRecords<ContainerRecord>(join(directory, 'containers')),
    sandboxes: new Map(),
    containers: new Map(),
  };
  await recover(state);
  const onEach = (check: 'check'): void => {
    for (const container of state.containers.values()) void container[check]();
  };
  const exits = watchExits(
    exitsDirectory,
    clock,
    (id) => void state.containers.get(id)?.noticeExit(),
    () => onEach('check'),
  );
  onEach('check'); // What ended between the first look and the watch.
  return {
    host,
    notes: [...host.notes, ...images.notes],
    ...runtimeCalls(state, () => {
      exits.close();
      state.helper.close();
    }),
    ...sandboxCalls(state),
    ...containerCalls(state),
    ...streamingCalls(state),
    ...newImageService(images, clock),
  };
}

/** A user namespace may not change the flags that a mount has from outside, read-only included. */
async function makeSealedRuntime(directory: string, { runtime }: Host): Promise<string | undefined> {
  if (!isInitialUserNamespace()) return undefined;
  const file = join(directory, 'bin', runtime.kind);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(file, '');
  return file;
}

async function recover(state: State): Promise<void> {
  for (const sandbox of await state.sandboxRecords.all()) state.sandboxes.set(sandbox.id, sandbox);
  const records = await state.containerRecords.all();
  await Promise.all(records.map((record) => track(state, record).adopt()));
  for (const container of state.containers.values())
    if (!state.sandboxes.has(container.record.sandboxId)) await removeContainer(state, container);
  for (const { id, phase } of state.sandboxes.values()) if (phase === 'making') await removeSandbox(state, id);
  const attached = [...state.sandboxes.values()].filter(({ phase, netnsPath }) => phase === 'ready' && netnsPath !== undefined);
  await state.network.retain(new Set(attached.map(({ id }) => id)));
  await state.images.retain(new Set([...state.containers.values()].flatMap(({ record }) => [record.id, ...record.imageVolumes])));
}

function runtimeCalls(
  { events, host, network, images, userRoots }: State,
  onClose: () => void,
): Pick<Runtime, 'version' | 'status' | 'getContainerEvents' | 'close'> {
  const { kind, version } = host.runtime;
  const features = { recursiveReadOnlyMounts: true, userNamespaces: userRoots !== undefined };
  void images;
  return {
    version: async () => ({ version: '0.1.0', runtimeName: 'orrery', runtimeVersion: `0.1.0+${kind}.${version}`, runtimeApiVersion: 'v1' }),
    async status() {
      const problem = network.problem();
      return {
        status: {
          conditions: [
            { type: 'RuntimeReady', status: true },
            problem === undefined
              ? { type: 'NetworkReady', status: true }
              : { type: 'NetworkReady', status: false, reason: 'NetworkPluginNotReady', message: problem },
          ],
        },
        info: { runtime: `${kind} ${version}`, notes: host.notes.join('\n') },
        runtimeHandlers: ['', kind].map((name) => ({ name, features })),
        features: { supplementalGroupsPolicy: true },
      };
    },
    getContainerEvents: (_request, signal) => events.subscribe(signal),
    async close() {
      onClose();
      events.close();
    },
  };
}

function streamingCalls(state: State): Pick<Runtime, 'exec' | 'execSync' | 'attach' | 'portForward'> {
  const { clock, host, stateDirectory } = state;
  const execInput = (containerId: string | undefined, command: readonly string[]) => ({
    container: containerOf(state, containerId),
    host,
    clock,
    stateDirectory,
    command,
  });
  return {
    async exec({ containerId, command, tty }, streams, signal) {
      return execInContainer(execInput(containerId, command), tty, streams, signal);
    },
    async execSync({ containerId, cmd = [], timeout = 0 }, signal) {
      return execSync(execInput(containerId, cmd), timeout * 1000, signal);
    },
    async attach({ containerId, tty }, streams, signal) {
      const container = containerOf(state, containerId);
      if (container.state !== 'CONTAINER_RUNNING')
        throw new RuntimeError('FAILED_PRECONDITION', `container "${containerId}" is not running`);
      await attachToContainer({ container, host, clock, tty }, streams, signal);
    },
    async portForward({ podSandboxId, port }, stream, signal) {
      const { id, netnsPath } = sandboxOf(state, podSandboxId);
      await forwardPort({ host, sandboxId: id, netnsPath, port }, stream, signal);
    },
  };
}
