import { open } from 'node:fs/promises';
import type { ContainerStatus as CriContainerStatus, Runtime } from '@orrery/cri';
import { readLogTail } from '../logs/tail.ts';
import { podUidLabel, terminationMessagePathAnnotation, terminationMessagePolicyAnnotation } from '../pod/labels.ts';
import { isRuntimeNotFound, messageOf } from './errors.ts';
import { type ContainerInstance, instanceOf, type PodState, sandboxIps } from './pod-state.ts';

// Limits of termination messages. Source: kubecontainer.MaxContainerTerminationMessageLength and …LogLength, …LogLines.
const messageBytesMax = 4096;
const logBytesMax = 2048;
const logLinesMax = 80;

/** Reads pods out of the runtime. */
export interface StateReader {
  read(uid: string, signal?: AbortSignal): Promise<PodState>;
  /** Forgets what is kept of ended containers that are not in `ids`. */
  retain(ids: ReadonlySet<string>): void;
}

async function firstBytes(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(messageBytesMax), 0, messageBytesMax, 0);
    return buffer.subarray(0, bytesRead).toString();
  } finally {
    await file.close();
  }
}

async function terminationMessage(status: CriContainerStatus): Promise<string> {
  const path = status.annotations?.[terminationMessagePathAnnotation] ?? '';
  const mount = path === '' ? undefined : status.mounts?.find(({ containerPath }) => containerPath === path);
  let message = '';
  if (mount?.hostPath !== undefined) {
    try {
      message = await firstBytes(mount.hostPath);
    } catch (err) {
      return `Error on reading termination log ${mount.hostPath}: ${messageOf(err)}`;
    }
  }
  const fallback = status.annotations?.[terminationMessagePolicyAnnotation] === 'FallbackToLogsOnError';
  if (message !== '' || !fallback || (status.exitCode ?? 0) === 0 || (status.logPath ?? '') === '') return message;
  try {
    return await readLogTail(status.logPath ?? '', { linesMax: logLinesMax, bytesMax: logBytesMax });
  } catch (err) {
    return `Error on reading termination message from logs: ${messageOf(err)}`;
  }
}

export function newStateReader(runtime: Runtime): StateReader {
  const ended = new Map<string, ContainerInstance>(); // Runs that have ended never change again.

  async function readInstance(id: string, signal?: AbortSignal): Promise<ContainerInstance | undefined> {
    const known = ended.get(id);
    if (known !== undefined) return known;
    try {
      const { status } = await runtime.containerStatus({ containerId: id }, signal);
      if (status === undefined) return undefined;
      const message = status.state === 'CONTAINER_EXITED' ? await terminationMessage(status) : '';
      const instance = instanceOf(status, message);
      if (instance.phase === 'exited') ended.set(id, instance);
      return instance;
    } catch (err) {
      if (isRuntimeNotFound(err)) return undefined; // Removed between the list and the look.
      throw err;
    }
  }

  async function readSandboxes(uid: string, signal?: AbortSignal) {
    const { items } = await runtime.listPodSandbox({ filter: { labelSelector: { [podUidLabel]: uid } } }, signal);
    const found = await Promise.all(
      (items ?? []).map(async ({ id = '' }) => {
        try {
          return (await runtime.podSandboxStatus({ podSandboxId: id }, signal)).status;
        } catch (err) {
          if (isRuntimeNotFound(err)) return undefined;
          throw err;
        }
      }),
    );
    const newestFirst = (a: number | undefined, b: number | undefined): number => (b ?? 0) - (a ?? 0);
    return found
      .filter((status) => status !== undefined)
      .sort((a, b) => newestFirst(a.createdAt, b.createdAt) || newestFirst(a.metadata?.attempt, b.metadata?.attempt));
  }

  async function readContainers(uid: string, signal?: AbortSignal): Promise<readonly ContainerInstance[]> {
    const { containers } = await runtime.listContainers({ filter: { labelSelector: { [podUidLabel]: uid } } }, signal);
    const found = await Promise.all((containers ?? []).map(({ id = '' }) => readInstance(id, signal)));
    return found
      .filter((instance) => instance !== undefined)
      .sort((a, b) => b.createdAtMs - a.createdAtMs || b.restartCount - a.restartCount);
  }

  return {
    async read(uid, signal) {
      const [sandboxes, containers] = await Promise.all([readSandboxes(uid, signal), readContainers(uid, signal)]);
      return { uid, sandboxes, containers, ips: sandboxIps(sandboxes[0]) };
    },
    retain(ids) {
      for (const id of ended.keys()) if (!ids.has(id)) ended.delete(id);
    },
  };
}
