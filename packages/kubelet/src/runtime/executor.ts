import type { Pod } from '@orrery/api/core/v1';
import type { Logger } from '@orrery/component';
import type { AuthConfig, ImageSpec, PodSandboxConfig, Runtime } from '@orrery/cri';
import type { Allocations } from '../allocation/allocations.ts';
import type { PodCgroups } from '../cgroups/pod-cgroups.ts';
import { allContainers, type ContainerSpec, containerHash, formatPod, isHostNetwork } from '../pod/container-spec.ts';
import type { UserNamespaces } from '../pod/user-namespaces.ts';
import type { StartFailure } from '../status/container-statuses.ts';
import type { Directories } from '../volumes/directories.ts';
import { writeHostsFile } from '../volumes/etc-hosts.ts';
import type { MountedVolume } from '../volumes/volume-mounter.ts';
import { computePodActions, type PodActions, type ProbeVerdicts } from './actions.ts';
import type { RestartBackoff } from './backoff.ts';
import { messageOf } from './errors.ts';
import { containerReference, type EventSink, podReference, reasons } from './events.ts';
import { goDuration, type ImagePuller } from './images.ts';
import type { Killer } from './kill.ts';
import type { Limiter } from './limiter.ts';
import { type PodState, sandboxIps } from './pod-state.ts';
import type { Resizer } from './resizer.ts';
import type { RuntimeHandlers } from './runtime-handlers.ts';
import { type ClusterDns, podNames, sandboxConfig } from './sandbox-config.ts';
import type { ContainerStarter, PodContext } from './start.ts';
import { StartError } from './start-error.ts';

export interface SyncInput {
  readonly pod: Pod;
  readonly state: PodState;
  readonly volumes: ReadonlyMap<string, MountedVolume>;
  readonly credentials: readonly AuthConfig[];
  readonly environment: PodContext['environment'];
  readonly hostIps: readonly string[];
  readonly signal: AbortSignal;
}

export interface SyncOutcome {
  /** By container that was to be started: why it was not, or `undefined` when it was. */
  readonly starts: ReadonlyMap<string, StartFailure | undefined>;
  /** Something was changed in the runtime. */
  readonly acted: boolean;
  /** When to try again; absent where nothing failed. */
  readonly retryAfterMs?: number | undefined;
  readonly error?: unknown;
}

/** Brings one pod's sandbox and containers to what its spec asks for, one step nearer each time. Source: kuberuntime SyncPod. */
export interface PodExecutor {
  sync(input: SyncInput): Promise<SyncOutcome>;
}

interface Deps {
  readonly runtime: Runtime;
  readonly events: EventSink;
  readonly log: Logger;
  readonly killer: Killer;
  readonly starter: ContainerStarter;
  readonly images: ImagePuller;
  readonly backoff: RestartBackoff;
  readonly directories: Directories;
  readonly verdicts: ProbeVerdicts;
  readonly dns: ClusterDns;
  readonly resolvConf: string;
  readonly limiter: Limiter;
  /** Absent: pods get no control groups of their own. */
  readonly cgroups: PodCgroups | undefined;
  readonly userNamespaces: UserNamespaces;
  readonly handlers: RuntimeHandlers;
  readonly allocations: Allocations;
  readonly resizer: Resizer;
}

const RETRY_MS = 10_000;

/** Identifies a container over its restarts, until its image changes. */
export const backoffKey = (pod: Pod, { container }: ContainerSpec): string =>
  `${formatPod(pod)}_${container.name}_${containerHash(container)}`;

interface Progress {
  readonly starts: Map<string, StartFailure | undefined>;
  acted: boolean;
  retryAfterMs: number | undefined;
}

export function newPodExecutor(deps: Deps): PodExecutor {
  const {
    runtime,
    events,
    log,
    killer,
    starter,
    images,
    backoff,
    directories,
    verdicts,
    dns,
    resolvConf,
    limiter,
    cgroups,
    userNamespaces,
    handlers,
    allocations,
    resizer,
  } = deps;

  /** @throws {StartError} CrashLoopBackOff, until the delay since the last end is over. */
  function checkBackoff(spec: ContainerSpec, { pod, state }: PodContext): void {
    const { name } = spec.container;
    const ended = state.containers.find((instance) => instance.name === name && instance.phase === 'exited');
    if (ended === undefined) return;
    const key = backoffKey(pod, spec);
    const retryAfterMs = backoff.remainingMs(key, ended.finishedAtMs);
    if (retryAfterMs <= 0) {
      backoff.step(key, ended.finishedAtMs);
      return;
    }
    const where = `${name} in pod ${formatPod(pod)}`;
    events.event(containerReference(pod, spec), 'Warning', reasons.backOff, `Back-off restarting failed container ${where}`);
    const message = `back-off ${goDuration(backoff.delayMs(key))} restarting failed container=${name} pod=${formatPod(pod)}`;
    throw new StartError('CrashLoopBackOff', message, { retryAfterMs });
  }

  /** False when it failed. */
  async function startOne(spec: ContainerSpec, context: PodContext, progress: Progress): Promise<boolean> {
    const { name } = spec.container;
    try {
      checkBackoff(spec, context);
      progress.acted = true;
      if (spec.kind !== 'ephemeral') allocations.setActuated(context.pod.metadata.uid, name, spec.container.resources);
      await starter.start(spec, context);
      progress.starts.set(name, undefined);
      return true;
    } catch (err) {
      context.signal.throwIfAborted();
      const failure = err instanceof StartError ? err : new StartError('RunContainerError', messageOf(err), { cause: err });
      progress.starts.set(name, { reason: failure.reason, message: failure.message });
      progress.retryAfterMs = Math.min(progress.retryAfterMs ?? RETRY_MS, failure.retryAfterMs ?? RETRY_MS);
      log.debug('container not started', {
        pod: formatPod(context.pod),
        container: name,
        reason: failure.reason,
        message: failure.message,
      });
      return false;
    }
  }

  async function startInit(indexes: readonly number[], context: PodContext, progress: Progress): Promise<boolean> {
    for (const index of indexes) {
      const container = context.pod.spec.initContainers?.[index];
      if (container === undefined) continue;
      const started = await startOne({ kind: 'init', container }, context, progress);
      if (!started && container.restartPolicy !== 'Always') return false;
    }
    return true;
  }

  /** All at once, but none before an earlier one's postStart hook has ended. */
  async function startRegular(indexes: readonly number[], context: PodContext, progress: Progress): Promise<void> {
    let running: Promise<boolean>[] = [];
    for (const index of indexes) {
      const container = context.pod.spec.containers[index];
      if (container === undefined) continue;
      running.push(startOne({ kind: 'container', container }, context, progress));
      if (container.lifecycle?.postStart === undefined) continue;
      await Promise.all(running);
      running = [];
    }
    await Promise.all(running);
  }

  async function configOf(pod: Pod, attempt: number, handler?: string): Promise<PodSandboxConfig> {
    const cgroupParent = await cgroupOf(pod);
    if (pod.spec.hostUsers === false && handler !== undefined) await handlers.requireUserNamespaces(handler);
    const users = pod.spec.hostUsers === false ? await userNamespaces.of(pod) : undefined;
    return await sandboxConfig({ pod, attempt, directories, dns, resolvConf, cgroupParent, users });
  }

  async function cgroupOf(pod: Pod): Promise<string> {
    try {
      return (await cgroups?.ensure(pod)) ?? '';
    } catch (err) {
      const message = `unable to ensure pod container exists: failed to create container for ${cgroups?.path(pod)} : ${messageOf(err)}`;
      events.event(podReference(pod), 'Warning', reasons.failedCreatePodContainer, message);
      throw err;
    }
  }

  async function createSandbox(pod: Pod, attempt: number, replaced: string, signal: AbortSignal) {
    if (replaced !== '') {
      events.event(podReference(pod), 'Normal', reasons.sandboxChanged, 'Pod sandbox changed, it will be killed and re-created.');
    }
    try {
      const runtimeHandler = await handlers.of(pod);
      const config = await configOf(pod, attempt, runtimeHandler);
      const { podSandboxId = '' } = await limiter.run(() => runtime.runPodSandbox({ config, runtimeHandler }, signal));
      const { status } = await runtime.podSandboxStatus({ podSandboxId }, signal);
      return { sandboxId: podSandboxId, config, ips: sandboxIps(status) };
    } catch (err) {
      signal.throwIfAborted();
      events.event(podReference(pod), 'Warning', reasons.failedCreatePodSandBox, `Failed to create pod sandbox: ${messageOf(err)}`);
      throw err;
    }
  }

  async function openSandbox({ pod, state, signal }: SyncInput, actions: PodActions) {
    if (actions.createSandbox) return await createSandbox(pod, actions.attempt, actions.sandboxId, signal);
    const config = await configOf(pod, actions.attempt);
    return { sandboxId: actions.sandboxId, config, ips: state.ips };
  }

  async function imageVolumes(input: SyncInput, config: PodSandboxConfig): Promise<ReadonlyMap<string, ImageSpec | StartError>> {
    const { pod, credentials, signal } = input;
    const wanted = [...input.volumes].flatMap(([name, volume]) => (volume.kind === 'image' ? [{ name, ...volume }] : []));
    const found = wanted.map(async ({ name, reference, pullPolicy }) => {
      const wish = { pod, about: podReference(pod), image: reference, pullPolicy, credentials, sandboxConfig: config };
      const image = await images.ensure(wish, signal).then(
        ({ spec }) => spec,
        (err: unknown) => (err instanceof StartError ? err : new StartError('ErrImagePull', messageOf(err))),
      );
      return [name, image] as const;
    });
    return new Map(await Promise.all(found));
  }

  async function killFirst({ pod, state, signal }: SyncInput, actions: PodActions): Promise<void> {
    if (actions.killPod) {
      if (state.sandboxes.length > 0) await killer.killPod(pod, state, { signal });
      return;
    }
    const podIp = state.ips[0] ?? pod.status?.podIP ?? '';
    await Promise.all(
      actions.kill.map(({ instance, message, reason }) => killer.killContainer(pod, instance, podIp, { message, reason, signal })),
    );
  }

  /** A new sandbox starts from the beginning: earlier runs of init containers must not count. */
  async function purgeInit({ pod, state, signal }: SyncInput): Promise<void> {
    const names = new Set((pod.spec.initContainers ?? []).map(({ name }) => name));
    const old = state.containers.filter(({ name }) => names.has(name));
    await Promise.all(old.map(({ id }) => runtime.removeContainer({ containerId: id }, signal)));
  }

  /** A resize that fails stops nothing else of the pod. */
  async function resize(pod: Pod, state: PodState, progress: Progress): Promise<void> {
    try {
      if (await resizer.apply(pod, state)) progress.acted = true;
    } catch (err) {
      allocations.fail(pod, messageOf(err));
      progress.retryAfterMs = Math.min(progress.retryAfterMs ?? RETRY_MS, RETRY_MS);
    }
  }

  async function run(input: SyncInput, actions: PodActions, progress: Progress): Promise<void> {
    const { pod, state } = input;
    const kills = actions.killPod || actions.kill.length > 0;
    const starts = actions.startEphemeral.length + actions.startInit.length + actions.start.length > 0;
    if (kills) await killFirst(input, actions);
    progress.acted ||= kills && state.sandboxes.length > 0;
    if (actions.killPod && !actions.createSandbox) return;
    if (!actions.createSandbox) await resize(pod, state, progress);
    if (!actions.createSandbox && !starts) return;
    if (actions.createSandbox) await purgeInit(input);

    progress.acted = true;
    const { sandboxId, config, ips } = await openSandbox(input, actions);
    const podIps = isHostNetwork(pod) ? input.hostIps : ips;
    await writeHostsFile(directories.etcHosts(pod.metadata.uid), pod, podNames(pod, dns.domain), podIps);
    const context: PodContext = {
      pod,
      // With a new sandbox, earlier init runs are gone.
      state: actions.createSandbox ? { ...state, containers: state.containers.filter(({ name }) => !isInit(pod, name)) } : state,
      sandboxId,
      sandboxConfig: config,
      podIps,
      volumes: input.volumes,
      imageVolumes: await imageVolumes(input, config),
      recursiveReadOnly: await handlers.recursiveReadOnly(pod),
      credentials: input.credentials,
      environment: input.environment,
      signal: input.signal,
    };
    const ephemeral = allContainers(pod.spec).filter(({ kind }) => kind === 'ephemeral');
    for (const index of actions.startEphemeral) {
      const spec = ephemeral[index];
      if (spec !== undefined) await startOne(spec, context, progress);
    }
    if (await startInit(actions.startInit, context, progress)) await startRegular(actions.start, context, progress);
  }

  return {
    async sync(input) {
      const actions = computePodActions(input.pod, input.state, verdicts, (container) => resizer.needsRestart(input.pod, container));
      const progress: Progress = { starts: new Map(), acted: false, retryAfterMs: undefined };
      const outcome = (error?: unknown): SyncOutcome => ({
        starts: progress.starts,
        acted: progress.acted,
        ...(progress.retryAfterMs === undefined ? {} : { retryAfterMs: progress.retryAfterMs }),
        ...(error === undefined ? {} : { error }),
      });
      try {
        await run(input, actions, progress);
        return outcome();
      } catch (err) {
        input.signal.throwIfAborted();
        return outcome(err);
      }
    },
  };
}

const isInit = (pod: Pod, name: string): boolean => (pod.spec.initContainers ?? []).some((container) => container.name === name);
