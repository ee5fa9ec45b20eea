import type { Pod, PodStatus, Service } from '@orrery/api/core/v1';
import { formatTime } from '@orrery/apimachinery';
import type { Clock } from '@orrery/base';
import type { Logger } from '@orrery/component';
import type { AuthConfig } from '@orrery/cri';
import { type Allocations, isSettled } from '../allocation/allocations.ts';
import { makeEnvironment } from '../env/environment.ts';
import type { PodFacts } from '../env/field-ref.ts';
import type { References } from '../env/references.ts';
import { type EnvVariable, serviceVariables } from '../env/services.ts';
import { type ContainerSpec, formatPod, isHostNetwork, isTerminalPhase } from '../pod/container-spec.ts';
import type { ProbeSet } from '../probe/probe-set.ts';
import { messageOf } from '../runtime/errors.ts';
import { containerReference, type EventSink, podReference, reasons } from '../runtime/events.ts';
import type { PodExecutor } from '../runtime/executor.ts';
import type { Killer } from '../runtime/kill.ts';
import type { PodState } from '../runtime/pod-state.ts';
import type { StateReader } from '../runtime/state-reader.ts';
import type { StartFailure } from '../status/container-statuses.ts';
import { generateStatus } from '../status/generate.ts';
import type { StatusWriter } from '../status/status-writer.ts';
import type { SourceInput } from '../volumes/sources.ts';
import type { TokenSource } from '../volumes/tokens.ts';
import type { VolumeMounter } from '../volumes/volume-mounter.ts';

/** What the syncer keeps of one pod between its turns. */
export interface PodMemory {
  /** Containers that could not be started, until they are. */
  readonly startFailures: Map<string, StartFailure>;
  eviction: Eviction | undefined;
}

/** Why the kubelet ends a pod. */
export interface Eviction {
  readonly reason: string;
  readonly message: string;
  /** The pod goes for the node's sake: what it belongs to shall not count that as its failure (KEP-3329). */
  readonly disruption?: boolean;
}

export const newPodMemory = (): PodMemory => ({ startFailures: new Map(), eviction: undefined });

export interface SyncResult {
  /** The pod has come to its end: everything of it is to be stopped. */
  readonly terminal: boolean;
  /** When to look again though nothing tells to. */
  readonly againAfterMs?: number | undefined;
  /** The pod in the runtime, after what was done. */
  readonly state: PodState;
}

/** The three things that can be done with a pod. Source: kubelet SyncPod, SyncTerminatingPod, SyncTerminatedPod. */
export interface PodSyncer {
  /** Brings a live pod a step nearer to its spec. @throws {Error} to be tried again later. */
  sync(pod: Pod, memory: PodMemory, signal: AbortSignal): Promise<SyncResult>;
  /** Stops everything of the pod. @throws {Error} while something still runs. */
  terminate(pod: Pod, memory: PodMemory, graceSeconds: number | undefined, signal: AbortSignal): Promise<PodState>;
}

export interface NodeFacts {
  readonly nodeName: string;
  readonly hostIps: readonly string[];
  readonly allocatable: () => Readonly<Record<string, string>>;
  /** Why pods without the host's network cannot start now; `undefined` when they can. */
  readonly networkProblem: () => string | undefined;
}

export interface SyncerDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly events: EventSink;
  readonly reader: StateReader;
  readonly executor: PodExecutor;
  readonly killer: Killer;
  readonly statuses: StatusWriter;
  readonly probes: ProbeSet;
  readonly volumes: VolumeMounter;
  /** As they are now: for environments. */
  readonly references: References;
  /** As last seen: for volumes. */
  readonly volumeReferences: References;
  readonly tokens: TokenSource;
  readonly services: () => readonly Service[];
  readonly credentials: (pod: Pod) => Promise<readonly AuthConfig[]>;
  readonly node: NodeFacts;
  readonly runtimeName: string;
  /** How long the first status, which only says that containers are being made, may wait for the next. */
  readonly pendingDelayMs: number;
  readonly allocations: Allocations;
}

export function newPodSyncer(deps: SyncerDeps): PodSyncer {
  const { clock, events, reader, executor, killer, statuses, probes, node, allocations } = deps;

  function publish(pod: Pod, state: PodState, memory: PodMemory, terminal: boolean, delayMs = 0): PodStatus {
    const status = generateStatus({
      pod,
      state,
      previous: statuses.get(pod.metadata.uid) ?? pod.status ?? {},
      terminal,
      runtimeName: deps.runtimeName,
      hostIps: node.hostIps,
      nowMs: clock.now(),
      startFailure: (name) => memory.startFailures.get(name),
      readiness: (name, id) => probes.readiness(pod.metadata.uid, name, id),
      eviction: memory.eviction,
      actuated: (name) => allocations.actuatedResources(pod.metadata.uid, name),
      resize: allocations.resizeState(pod.metadata.uid),
    });
    statuses.set(pod, status, delayMs);
    probes.observe(pod, status);
    return status;
  }

  /** Sees whether what runs has what was granted. */
  function settle(pod: Pod, state: PodState): void {
    const running = new Set(state.containers.filter(({ phase }) => phase === 'running').map(({ name }) => name));
    allocations.settle(pod, isSettled(allocations, pod, running));
  }

  /** Milliseconds until the pod's active deadline; `undefined` when it has none. */
  function deadlineMs({ spec }: Pod, startTime: string): number | undefined {
    if (spec.activeDeadlineSeconds === undefined) return undefined;
    return Date.parse(startTime) + spec.activeDeadlineSeconds * 1000 - clock.now();
  }

  const factsOf = (pod: Pod, podIps: readonly string[]): PodFacts => ({
    podIps: isHostNetwork(pod) ? node.hostIps : podIps,
    hostIps: node.hostIps,
    nodeName: node.nodeName,
  });

  function environmentOf(pod: Pod) {
    return async (spec: ContainerSpec, podIps: readonly string[]): Promise<readonly EnvVariable[]> =>
      await makeEnvironment({
        pod,
        container: spec.container,
        facts: factsOf(pod, podIps),
        references: deps.references,
        serviceVariables: serviceVariables(deps.services(), pod.metadata.namespace ?? '', pod.spec.enableServiceLinks !== false),
        allocatable: node.allocatable(),
        onInvalidKeys: (message) => events.event(containerReference(pod, spec), 'Warning', reasons.invalidEnvironment, message),
      });
  }

  async function mountVolumes(pod: Pod, state: PodState) {
    const { volumeReferences: references, tokens } = deps;
    const input: SourceInput = { pod, facts: factsOf(pod, state.ips), allocatable: node.allocatable(), references, tokens };
    try {
      return await deps.volumes.mount(input);
    } catch (err) {
      events.event(podReference(pod), 'Warning', reasons.failedMount, messageOf(err));
      throw err;
    }
  }

  function checkNetwork(pod: Pod): void {
    const problem = isHostNetwork(pod) ? undefined : node.networkProblem();
    if (problem === undefined) return;
    events.event(podReference(pod), 'Warning', reasons.networkNotReady, `network is not ready: ${problem}`);
    throw new Error(`network is not ready: ${problem}`);
  }

  return {
    async sync(wanted, memory, signal) {
      const { uid } = wanted.metadata;
      await allocations.persist(uid);
      const pod = allocations.allocated(wanted);
      probes.add(pod);
      const state = await reader.read(uid, signal);
      settle(pod, state);
      const first = state.sandboxes.length === 0;
      const status = publish(pod, state, memory, false, first ? deps.pendingDelayMs : 0);
      if (isTerminalPhase(status.phase)) return { terminal: true, state };
      const leftMs = deadlineMs(pod, status.startTime ?? formatTime(clock.now()));
      if (leftMs !== undefined && leftMs <= 0) {
        const message = 'Pod was active on the node longer than the specified deadline';
        events.event(podReference(pod), 'Normal', reasons.deadlineExceeded, message);
        memory.eviction = { reason: 'DeadlineExceeded', message };
        publish(pod, state, memory, false);
        return { terminal: true, state };
      }
      checkNetwork(pod);
      const volumes = await mountVolumes(pod, state);
      const credentials = await deps.credentials(pod);
      signal.throwIfAborted();
      const outcome = await executor.sync({
        pod,
        state,
        volumes,
        credentials,
        environment: environmentOf(pod),
        hostIps: node.hostIps,
        signal,
      });
      for (const [name, failure] of outcome.starts) {
        if (failure === undefined) memory.startFailures.delete(name);
        else memory.startFailures.set(name, failure);
      }
      const changed = outcome.acted || outcome.starts.size > 0;
      const after = changed ? await reader.read(uid, signal) : state;
      if (changed) settle(pod, after);
      await allocations.persist(uid);
      const told = changed || allocations.resizeState(uid).progress !== undefined;
      const terminal = told && isTerminalPhase(publish(pod, after, memory, false).phase);
      if (outcome.error !== undefined) throw outcome.error;
      const waits = [leftMs, outcome.retryAfterMs].filter((wait) => wait !== undefined);
      return { terminal, againAfterMs: waits.length === 0 ? undefined : Math.min(...waits), state: after };
    },

    async terminate(pod, memory, graceSeconds, signal) {
      const { uid } = pod.metadata;
      probes.stopRestarting(uid);
      let state = await reader.read(uid, signal);
      publish(pod, state, memory, false, deps.pendingDelayMs);
      await killer.killPod(pod, state, { signal, graceSeconds });
      state = await reader.read(uid, signal);
      const alive = state.containers.filter(({ phase }) => phase === 'running');
      if (alive.length > 0) {
        throw new Error(
          `detected running containers after a successful KillPod, CRI violation: ${formatPod(pod)} ${alive.map(({ name }) => name)}`,
        );
      }
      probes.remove(uid);
      publish(pod, state, memory, true);
      return state;
    },
  };
}
