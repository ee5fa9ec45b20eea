import { mkdir, rm } from 'node:fs/promises';
import { type PodSandboxConfig, type Runtime, RuntimeError } from '@orrery/cri';
import type { Container } from './container/container.ts';
import { cgroupParent, removeContainer } from './container-calls.ts';
import type { SandboxRecord } from './records.ts';
import { startPause } from './sandbox/pause.ts';
import {
  freeMounts,
  isOnHost,
  makeSharedMemory,
  mountSharedMemory,
  networkRequest,
  podSysctls,
  writeSandboxFiles,
} from './sandbox/sandbox.ts';
import { sandboxState } from './sandbox/sandbox-state.ts';
import { type HeldNamespaces, holdUserNamespace, keepUserNamespace, podUsers } from './sandbox/user-namespace.ts';
import { newId, type State, sandboxOf } from './state.ts';
import { containerStatus, matchesSandbox, sandboxStatus, sandboxSummary } from './views.ts';

type SandboxCalls = 'runPodSandbox' | 'stopPodSandbox' | 'removePodSandbox' | 'podSandboxStatus' | 'listPodSandbox';

const containersIn = ({ containers }: State, id: string): readonly Container[] =>
  [...containers.values()].filter(({ record }) => record.sandboxId === id);

async function put(state: State, record: SandboxRecord): Promise<SandboxRecord> {
  await state.sandboxRecords.write(record);
  state.sandboxes.set(record.id, record);
  return record;
}

/** Ends all that runs in a sandbox and frees its network. Idempotent. */
async function stopSandbox(state: State, id: string): Promise<void> {
  const sandbox = state.sandboxes.get(id);
  if (sandbox === undefined) return; // CRI: stopping what is gone succeeds.
  await Promise.all(containersIn(state, id).map((container) => container.stop(0)));
  if (sandbox.phase === 'stopped') return;
  if (sandbox.netnsPath !== undefined || sandbox.phase === 'making') await state.network.detach(id);
  await put(state, { ...sandbox, phase: 'stopped' });
}

/** Frees all that a sandbox has. The record goes last: whatever is interrupted is done again. */
export async function removeSandbox(state: State, id: string): Promise<void> {
  const sandbox = state.sandboxes.get(id);
  if (sandbox === undefined) return;
  await stopSandbox(state, id);
  await Promise.all(containersIn(state, id).map((container) => removeContainer(state, container)));
  await freeMounts(state.helper, state.sandboxRecords.directory(id), sandbox.config);
  // A group that the kubelet made is the kubelet's.
  const ownGroup = state.host.limits && (sandbox.config.linux?.cgroupParent ?? '') === '';
  if (ownGroup) await state.host.cgroups.remove(cgroupParent(state, sandbox));
  await state.sandboxRecords.remove(id);
  state.sandboxes.delete(id);
  if (state.sandboxes.size === 0 && state.userRoots !== undefined) await rm(state.userRoots, { recursive: true, force: true });
  if (ownGroup && state.sandboxes.size === 0) await state.host.cgroups.removeEmpty(state.cgroupRoot);
}

async function runSandbox(state: State, config: PodSandboxConfig, runtimeHandler: string): Promise<string> {
  const { host, helper, clock, random, network, hostAddresses } = state;
  if (runtimeHandler !== '' && runtimeHandler !== host.runtime.kind)
    throw new RuntimeError('INVALID_ARGUMENT', `no runtime for "${runtimeHandler}" is configured`);
  const users = podUsers(config);
  if (users !== undefined && state.userRoots === undefined)
    throw new RuntimeError('UNIMPLEMENTED', 'user namespaces (hostUsers: false) need crun 1.8, Linux 6.3 and root');
  podSysctls(config); // Refuses now what could not start later.
  const id = newId(random);
  const directory = state.sandboxRecords.directory(id);
  const onHost = isOnHost(config, 'network');
  const initial: SandboxRecord = {
    id,
    config,
    runtimeHandler,
    addresses: [],
    createdAtMs: clock.now(),
    phase: 'making',
    bootId: host.bootId,
  };
  await put(state, initial);
  let held: HeldNamespaces | undefined;
  try {
    if (users !== undefined) held = await holdUserNamespace(users);
    const [attachment] = await Promise.all([
      onHost ? undefined : network.attach(networkRequest(id, config, held?.pid)),
      isOnHost(config, 'ipc') ? undefined : held === undefined ? makeSharedMemory(helper, directory) : mountSharedMemory(helper, directory),
      held === undefined ? undefined : keepUserNamespace(helper, directory, held.pid),
      writeSandboxFiles(directory, config, onHost ? state.hostname : (config.hostname ?? '')),
      (config.logDirectory ?? '') === '' ? undefined : mkdir(config.logDirectory ?? '', { recursive: true, mode: 0o755 }),
    ]);
    const attached: SandboxRecord = {
      ...initial,
      addresses: attachment?.addresses ?? hostAddresses,
      ...(attachment === undefined ? {} : { netnsPath: attachment.netnsPath }),
    };
    const sharesProcesses = config.linux?.securityContext?.namespaceOptions?.pid === 'POD';
    const pauseId = sharesProcesses ? await startPause(state, attached) : undefined;
    await put(state, { ...attached, phase: 'ready', ...(pauseId === undefined ? {} : { pauseId }) });
    return id;
  } catch (err) {
    await removeSandbox(state, id);
    throw err;
  } finally {
    await held?.release();
  }
}

export function sandboxCalls(state: State): Pick<Runtime, SandboxCalls> {
  const { sandboxes } = state;
  return {
    async runPodSandbox({ config = {}, runtimeHandler = '' }) {
      return { podSandboxId: await runSandbox(state, config, runtimeHandler) };
    },
    async stopPodSandbox({ podSandboxId = '' }) {
      await stopSandbox(state, podSandboxId);
      return {};
    },
    async removePodSandbox({ podSandboxId = '' }) {
      await removeSandbox(state, podSandboxId);
      return {};
    },
    async podSandboxStatus({ podSandboxId }) {
      const sandbox = sandboxOf(state, podSandboxId);
      const containersStatuses = containersIn(state, sandbox.id)
        .filter(({ record }) => record.internal !== true)
        .map(containerStatus);
      return { status: sandboxStatus(sandbox, sandboxState(state, sandbox)), containersStatuses };
    },
    async listPodSandbox({ filter }) {
      const matching = [...sandboxes.values()].filter((sandbox) => sandbox.phase !== 'making' && matchesSandbox(sandbox, filter));
      return {
        items: matching
          .map((sandbox) => sandboxSummary(sandbox, sandboxState(state, sandbox))) // Asks the kernel: for as few as possible.
          .filter((summary) => (filter?.state?.state ?? summary.state) === summary.state),
      };
    },
  };
}
