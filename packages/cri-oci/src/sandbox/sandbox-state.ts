import { existsSync } from 'node:fs';
import type { PodSandboxState } from '@orrery/cri';
import type { SandboxRecord } from '../records.ts';
import type { State } from '../state.ts';

/**
 * A sandbox is ready until it is stopped, the machine was booted anew, or something took away what it lends: its network namespace, or the
 * first process of a pod that shares processes.
 */
export function sandboxState({ host, containers }: State, { phase, bootId, netnsPath, pauseId }: SandboxRecord): PodSandboxState {
  const lost =
    bootId !== host.bootId ||
    (netnsPath !== undefined && !existsSync(netnsPath)) ||
    (pauseId !== undefined && containers.get(pauseId)?.state !== 'CONTAINER_RUNNING');
  return phase === 'ready' && !lost ? 'SANDBOX_READY' : 'SANDBOX_NOTREADY';
}
