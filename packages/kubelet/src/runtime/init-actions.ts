import type { Container, Pod } from '@orrery/api/core/v1';
import { containerHash, isSidecar, shouldRestart } from '../pod/container-spec.ts';
import { type KillAction, type ProbeVerdicts, type ResizeRestart, resizeRestartMessage } from './actions.ts';
import { type ContainerInstance, findInstance, type PodState } from './pod-state.ts';

/** What the init containers need next. */
export interface InitActions {
  /** Every init container has done its part: regular ones ended well, sidecars started. */
  readonly initialized: boolean;
  /** Initialization failed for good. */
  readonly killPod: boolean;
  readonly kill: readonly KillAction[];
  /** Indexes in spec order. */
  readonly start: readonly number[];
}

interface Draft {
  readonly pod: Pod;
  readonly verdicts: ProbeVerdicts;
  readonly resize: ResizeRestart;
  readonly kill: KillAction[];
  /** Collected from the last to the first. */
  readonly start: number[];
  initialized: boolean;
}

/** True when the pod is lost. */
type Lost = boolean;

/** This init container is done: the last one completes initialization, any other lets the next one start. */
function passOn(draft: Draft, index: number, alreadyPassed: boolean): void {
  if (index === (draft.pod.spec.initContainers?.length ?? 0) - 1) draft.initialized = true;
  else if (!alreadyPassed) draft.start.push(index + 1);
}

function restart(draft: Draft, index: number, instance: ContainerInstance, message: string, reason: KillAction['reason']): void {
  const container = draft.pod.spec.initContainers?.[index] as Container;
  draft.kill.push({ container, instance, message, reason });
  draft.start.push(index);
}

function runningSidecar(draft: Draft, index: number, container: Container, instance: ContainerInstance, passed: boolean): void {
  const { name } = container;
  if (container.startupProbe !== undefined) {
    const startup = draft.verdicts.startup(instance.id);
    if (startup === 'failure') restart(draft, index, instance, `Init container ${name} failed startup probe`, 'StartupProbe');
    if (startup !== 'success') return;
  }
  passOn(draft, index, passed);
  if (instance.hash !== '' && instance.hash !== containerHash(container)) {
    restart(draft, index, instance, `Init container ${name} definition changed`, '');
  } else if (draft.verdicts.liveness(instance.id) === 'failure') {
    restart(draft, index, instance, `Init container ${name} failed liveness probe`, 'LivenessProbe');
  } else if (draft.resize(container)) {
    restart(draft, index, instance, resizeRestartMessage(container), '');
  }
}

function endedInit(draft: Draft, index: number, container: Container, instance: ContainerInstance): Lost {
  if (instance.exitCode === 0) {
    passOn(draft, index, false);
    return false;
  }
  if (!restartsInit(container, draft.pod, instance.exitCode)) return true;
  draft.start.push(index);
  return false;
}

/** Init containers have no Always: with it they are retried until they succeed. */
const restartsInit = (container: Container, pod: Pod, exitCode: number): boolean => shouldRestart(container, pod.spec, exitCode);

function consider(draft: Draft, index: number, container: Container, instance: ContainerInstance, passed: boolean): Lost {
  const sidecar = isSidecar(container);
  switch (instance.phase) {
    case 'created': // Made but not started: the start failed.
      draft.start.push(index);
      return false;
    case 'running':
      if (sidecar) runningSidecar(draft, index, container, instance, passed);
      return false;
    case 'exited':
      if (!sidecar) return endedInit(draft, index, container, instance);
      draft.start.push(index);
      return false;
    default:
      if (!sidecar && !restartsInit(container, draft.pod, 1)) return true;
      restart(draft, index, instance, 'Init container is in "unknown" state, try killing it before restart', 'Unknown');
      return false;
  }
}

/**
 * Walks from the last init container to the first: the last one that ever ran tells how far initialization is, as earlier ones may
 * have been removed. Source: kuberuntime computeInitContainerActions.
 */
export function computeInitActions(pod: Pod, state: PodState, verdicts: ProbeVerdicts, resize: ResizeRestart = () => false): InitActions {
  const containers = pod.spec.initContainers ?? [];
  if (containers.length === 0) return { initialized: true, killPod: false, kill: [], start: [] };
  const mainAlive = pod.spec.containers.some(({ name }) => {
    const phase = findInstance(state, name)?.phase;
    return phase === 'created' || phase === 'running';
  });
  const draft: Draft = { pod, verdicts, resize, kill: [], start: [], initialized: mainAlive };
  let passed = mainAlive; // A later container has run, so this one is done.
  for (let index = containers.length - 1; index >= 0; index -= 1) {
    const container = containers[index] as Container;
    const instance = findInstance(state, container.name);
    if (instance === undefined) {
      if (passed && isSidecar(container)) draft.start.push(index);
      continue;
    }
    if (passed && !isSidecar(container)) continue;
    if (consider(draft, index, container, instance, passed)) return { initialized: false, killPod: true, kill: draft.kill, start: [] };
    passed = true;
  }
  if (!passed) draft.start.push(0);
  const start = [...new Set(draft.start)].sort((a, b) => a - b);
  return { initialized: draft.initialized, killPod: false, kill: draft.kill, start };
}
