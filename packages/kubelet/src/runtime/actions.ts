import type { Container, Pod } from '@orrery/api/core/v1';
import { containerHash, isHostNetwork, shouldRestart } from '../pod/container-spec.ts';
import { computeInitActions } from './init-actions.ts';
import { type ContainerInstance, findInstance, type PodState, sandboxChange } from './pod-state.ts';

export type KillReason = '' | 'Unknown' | 'LivenessProbe' | 'StartupProbe' | 'FailedPostStartHook';

export interface KillAction {
  readonly container: Container;
  readonly instance: ContainerInstance;
  readonly message: string;
  readonly reason: KillReason;
}

/** What a pod needs next. Indexes point into the spec's own lists, in the order to start. */
export interface PodActions {
  /** Everything that runs ends, sandbox included. */
  readonly killPod: boolean;
  readonly createSandbox: boolean;
  /** The sandbox to work in, or the one to replace. */
  readonly sandboxId: string;
  readonly attempt: number;
  readonly kill: readonly KillAction[];
  readonly startEphemeral: readonly number[];
  readonly startInit: readonly number[];
  readonly start: readonly number[];
}

export type ProbeVerdict = 'success' | 'failure' | 'unknown';

/** Probe results by container id; absent while there is none. */
export interface ProbeVerdicts {
  liveness(containerId: string): ProbeVerdict | undefined;
  startup(containerId: string): ProbeVerdict | undefined;
}

/** Whether a running container is restarted to get other resources (KEP-1287). */
export type ResizeRestart = (container: Container) => boolean;
export const resizeRestartMessage = ({ name }: Container): string => `Container ${name} resize requires restart`;

const nothing = (sandboxId: string, attempt: number): PodActions => ({
  killPod: false,
  createSandbox: false,
  sandboxId,
  attempt,
  kill: [],
  startEphemeral: [],
  startInit: [],
  start: [],
});

export const isInitialized = (pod: Pod, state: PodState): boolean =>
  pod.spec.containers.some(({ name }) => findInstance(state, name) !== undefined);

/** Whether a container that is not running is to be started. Source: kubecontainer.ShouldContainerBeRestarted. */
export function shouldStart(container: Container, pod: Pod, state: PodState): boolean {
  if (pod.metadata.deletionTimestamp !== undefined) return false;
  const instance = findInstance(state, container.name);
  if (instance === undefined) return true;
  if (instance.phase === 'running') return false;
  if (instance.phase !== 'exited') return true;
  return shouldRestart(container, pod.spec, instance.exitCode);
}

function withNewSandbox(pod: Pod, state: PodState, base: PodActions): PodActions {
  const { containers, initContainers = [] } = pod.spec;
  const start = containers.flatMap((container, index) => {
    const instance = findInstance(state, container.name);
    const over = instance?.phase === 'exited' && !shouldRestart(container, pod.spec, instance.exitCode);
    return over ? [] : [index];
  });
  // Every container is over for good, so a new sandbox would serve nobody.
  if (start.length === 0 && isInitialized(pod, state)) return { ...base, killPod: true };
  const neverAgain = (pod.spec.restartPolicy ?? 'Always') === 'Never' && containers.every((c) => c.restartPolicyRules === undefined);
  if (neverAgain && base.attempt !== 0 && state.containers.length > 0) return { ...base, killPod: true };
  const created = { ...base, killPod: true, createSandbox: true };
  return initContainers.length > 0 ? { ...created, startInit: [0] } : { ...created, start };
}

function unknownKill(container: Container, instance: ContainerInstance): KillAction {
  return { container, instance, message: `Container is in "${instance.phase}" state, try killing it before restart`, reason: 'Unknown' };
}

function whyKill(container: Container, instance: ContainerInstance, verdicts: ProbeVerdicts): readonly [string, KillReason] | undefined {
  if (instance.hash !== '' && instance.hash !== containerHash(container)) return [`Container ${container.name} definition changed`, ''];
  if (verdicts.liveness(instance.id) === 'failure') return [`Container ${container.name} failed liveness probe`, 'LivenessProbe'];
  if (verdicts.startup(instance.id) === 'failure') return [`Container ${container.name} failed startup probe`, 'StartupProbe'];
  return undefined;
}

interface RegularActions {
  readonly kill: KillAction[];
  readonly start: number[];
  kept: number;
}

function regularAction(
  pod: Pod,
  index: number,
  state: PodState,
  verdicts: ProbeVerdicts,
  resize: ResizeRestart,
  out: RegularActions,
): void {
  const container = pod.spec.containers[index] as Container;
  const instance = findInstance(state, container.name);
  if (instance?.phase !== 'running') {
    if (!shouldStart(container, pod, state)) return;
    out.start.push(index);
    if (instance?.phase === 'unknown') out.kill.push(unknownKill(container, instance));
    return;
  }
  const why = whyKill(container, instance, verdicts);
  if (why === undefined && resize(container)) {
    out.start.push(index);
    out.kill.push({ container, instance, message: resizeRestartMessage(container), reason: '' });
    return;
  }
  if (why === undefined) {
    out.kept += 1;
    return;
  }
  const [message, reason] = why;
  // A changed definition restarts whatever the policy; after a failed probe the policy decides, as for any failure.
  const restart = reason === '' || shouldRestart(container, pod.spec, 137);
  if (restart) out.start.push(index);
  out.kill.push({ container, instance, message: restart ? `${message}, will be restarted` : message, reason });
}

/** Decides what brings `state` nearer to the pod's spec. Pure. Source: kuberuntime computePodActions. */
export function computePodActions(pod: Pod, state: PodState, verdicts: ProbeVerdicts, resize: ResizeRestart = () => false): PodActions {
  const { changed, attempt, sandboxId } = sandboxChange(isHostNetwork(pod), state);
  const base = nothing(sandboxId, attempt);
  if (changed) return withNewSandbox(pod, state, base);

  const startEphemeral = (pod.spec.ephemeralContainers ?? []).flatMap(({ name }, index) =>
    findInstance(state, name) === undefined ? [index] : [],
  );
  const init = computeInitActions(pod, state, verdicts, resize);
  if (init.killPod || !init.initialized) {
    return { ...base, startEphemeral, killPod: init.killPod, kill: init.kill, startInit: init.start };
  }
  const out: RegularActions = { kill: [...init.kill], start: [], kept: 0 };
  for (const index of pod.spec.containers.keys()) regularAction(pod, index, state, verdicts, resize, out);
  const over = out.kept === 0 && out.start.length === 0;
  return { ...base, startEphemeral, killPod: over, kill: out.kill, startInit: over ? [] : init.start, start: out.start };
}
