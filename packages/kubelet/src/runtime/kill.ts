import type { Container, LifecycleHandler, Pod } from '@orrery/api/core/v1';
import { abortable, anySignal, type Clock, timeoutSignal } from '@orrery/base';
import type { Logger } from '@orrery/component';
import type { Runtime } from '@orrery/cri';
import { allContainers, type ContainerSpec, isSidecar } from '../pod/container-spec.ts';
import { preStopHandlerAnnotation, terminationGracePeriodAnnotation } from '../pod/labels.ts';
import type { KillReason } from './actions.ts';
import { isRuntimeNotFound, messageOf } from './errors.ts';
import { containerReference, type EventSink, reasons } from './events.ts';
import type { HookRunner } from './lifecycle-hooks.ts';
import type { ContainerInstance, PodState } from './pod-state.ts';

/** A container gets at least this long between the signal and the kill, in seconds. Source: kuberuntime. */
const MINIMUM_GRACE_SECONDS = 2;

export interface KillOptions {
  readonly message?: string;
  readonly reason?: KillReason;
  /** Replaces every other grace period; in seconds. */
  readonly graceSeconds?: number | undefined;
  /** Resolves when the containers that must end earlier have ended. The preStop hook does not wait for it, and nothing beyond the grace. */
  readonly turn?: Promise<unknown>;
  readonly signal: AbortSignal;
}

/** Ends containers and pods, with what their specs ask for before the end. */
export interface Killer {
  killContainer(pod: Pod, instance: ContainerInstance, podIp: string, options: KillOptions): Promise<void>;
  /** Ends regular containers together, then sidecars in reverse order, then the sandboxes; preStop hooks of all begin at once. */
  killPod(pod: Pod, state: PodState, options: KillOptions): Promise<void>;
}

interface Deps {
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly events: EventSink;
  readonly hooks: HookRunner;
  readonly log: Logger;
}

/** What is known of a container whose pod's spec is gone: the runtime kept it in annotations. */
function restored({ name, cri }: ContainerInstance): ContainerSpec {
  const handler = cri.annotations?.[preStopHandlerAnnotation];
  const lifecycle = handler === undefined ? {} : { lifecycle: { preStop: JSON.parse(handler) as LifecycleHandler } };
  return { kind: 'container', container: { name, ...lifecycle } };
}

function graceSeconds(pod: Pod, container: Container, instance: ContainerInstance, reason: KillReason): number {
  const { deletionGracePeriodSeconds } = pod.metadata;
  if (deletionGracePeriodSeconds !== undefined) return deletionGracePeriodSeconds;
  const probe = reason === 'LivenessProbe' ? container.livenessProbe : reason === 'StartupProbe' ? container.startupProbe : undefined;
  const kept = instance.cri.annotations?.[terminationGracePeriodAnnotation];
  return (
    probe?.terminationGracePeriodSeconds ??
    pod.spec.terminationGracePeriodSeconds ??
    (kept === undefined ? MINIMUM_GRACE_SECONDS : Number(kept))
  );
}

/** Waits for all, then throws what the first that failed threw. */
async function allSettled(tasks: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(tasks)) if (result.status === 'rejected') throw result.reason;
}

export function newKiller({ runtime, clock, events, hooks, log }: Deps): Killer {
  /** Seconds that the hook took. */
  async function preStop(pod: Pod, spec: ContainerSpec, containerId: string, podIp: string, grace: number, signal: AbortSignal) {
    const { container } = spec;
    const handler = container.lifecycle?.preStop;
    if (handler === undefined || grace <= 0) return 0;
    const startMs = clock.monotonicMs();
    using timeout = timeoutSignal(clock, grace * 1000);
    using either = anySignal(signal, timeout.signal);
    try {
      await hooks.run(handler, { pod, container, containerId, podIp }, either.signal);
    } catch (err) {
      signal.throwIfAborted();
      log.info('preStop hook failed', { pod: pod.metadata.name, container: container.name, error: messageOf(err) });
      if (!timeout.signal.aborted) events.event(containerReference(pod, spec), 'Warning', reasons.failedPreStopHook, 'PreStopHook failed');
    }
    return (clock.monotonicMs() - startMs) / 1000;
  }

  /** Seconds that it took. */
  async function awaitTurn(turn: Promise<unknown> | undefined, grace: number, signal: AbortSignal): Promise<number> {
    if (turn === undefined || grace <= 0) return 0;
    const startMs = clock.monotonicMs();
    using timeout = timeoutSignal(clock, grace * 1000);
    using either = anySignal(signal, timeout.signal);
    await abortable(turn, either.signal).catch(() => signal.throwIfAborted());
    return (clock.monotonicMs() - startMs) / 1000;
  }

  const killContainer: Killer['killContainer'] = async (pod, instance, podIp, options) => {
    const spec = allContainers(pod.spec).find(({ container }) => container.name === instance.name) ?? restored(instance);
    const { message = `Stopping container ${instance.name}`, reason = '', turn, signal } = options;
    const wanted = options.graceSeconds ?? graceSeconds(pod, spec.container, instance, reason);
    events.event(containerReference(pod, spec), 'Normal', reasons.killing, message);
    const spent = await preStop(pod, spec, instance.id, podIp, wanted, signal);
    const left = Math.ceil(wanted - spent - (await awaitTurn(turn, wanted - spent, signal)));
    const timeout = Math.max(left, MINIMUM_GRACE_SECONDS);
    try {
      // Abortable here: a shorter grace period must not wait for a driver that sits a longer one out.
      await abortable(runtime.stopContainer({ containerId: instance.id, timeout }, signal), signal);
    } catch (err) {
      if (!isRuntimeNotFound(err)) throw err;
    }
  };

  async function killAll(pod: Pod, instances: readonly ContainerInstance[], state: PodState, options: KillOptions): Promise<void> {
    const podIp = state.ips[0] ?? pod.status?.podIP ?? '';
    await allSettled(instances.map((instance) => killContainer(pod, instance, podIp, options)));
  }

  async function stopSandboxes(state: PodState, signal: AbortSignal): Promise<void> {
    for (const { id = '' } of state.sandboxes) {
      try {
        await runtime.stopPodSandbox({ podSandboxId: id }, signal);
      } catch (err) {
        if (!isRuntimeNotFound(err)) throw err;
      }
    }
  }

  return {
    killContainer,
    async killPod(pod, state, options) {
      const alive = state.containers.filter(({ phase }) => phase === 'running' || phase === 'unknown');
      const sidecars = (pod.spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name);
      const regular = alive.filter(({ name }) => !sidecars.includes(name));
      const ends = [killAll(pod, regular, state, options)];
      for (const name of sidecars.reverse()) {
        const instances = alive.filter((instance) => instance.name === name);
        ends.push(killAll(pod, instances, state, { ...options, turn: Promise.allSettled(ends) }));
      }
      await allSettled(ends);
      await stopSandboxes(state, options.signal);
    },
  };
}
