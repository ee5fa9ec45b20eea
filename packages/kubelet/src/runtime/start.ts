import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Container, Pod } from '@orrery/api/core/v1';
import type { Clock, Random } from '@orrery/base';
import type { AuthConfig, ImageSpec, Mount, PodSandboxConfig, Runtime, UserNamespace } from '@orrery/cri';
import type { EnvVariable } from '../env/services.ts';
import type { ContainerSpec } from '../pod/container-spec.ts';
import { containerMounts } from '../volumes/container-mounts.ts';
import type { Directories } from '../volumes/directories.ts';
import type { Mounts } from '../volumes/mounts.ts';
import type { MountedVolume } from '../volumes/volume-mounter.ts';
import { containerConfig } from './container-config.ts';
import { messageOf } from './errors.ts';
import { containerReference, type EventSink, reasons } from './events.ts';
import type { ImagePuller, PresentImage } from './images.ts';
import type { Killer } from './kill.ts';
import type { HookRunner } from './lifecycle-hooks.ts';
import type { Limiter } from './limiter.ts';
import type { ResourceFacts } from './linux-resources.ts';
import { type ContainerInstance, findInstance, instanceOf, type PodState } from './pod-state.ts';
import { verifyNonRoot } from './security-context.ts';
import { StartError } from './start-error.ts';

/** One sync of a pod: what its containers share. */
export interface PodContext {
  readonly pod: Pod;
  readonly state: PodState;
  readonly sandboxId: string;
  readonly sandboxConfig: PodSandboxConfig;
  readonly podIps: readonly string[];
  readonly volumes: ReadonlyMap<string, MountedVolume>;
  /** Images of image volumes by volume name, or why one is missing. */
  readonly imageVolumes: ReadonlyMap<string, ImageSpec | StartError>;
  /** Whether the pod's runtime handler can make all of a mount read-only. */
  readonly recursiveReadOnly: boolean;
  readonly credentials: readonly AuthConfig[];
  /** @throws {Error} when something it refers to is missing. */
  readonly environment: (spec: ContainerSpec, podIps: readonly string[]) => Promise<readonly EnvVariable[]>;
  readonly signal: AbortSignal;
}

export interface ContainerStarter {
  /** Pulls the image, creates and starts the container, and runs its postStart hook. @throws {StartError} */
  start(spec: ContainerSpec, context: PodContext): Promise<void>;
}

interface Deps {
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventSink;
  readonly images: ImagePuller;
  readonly hooks: HookRunner;
  readonly killer: Killer;
  readonly directories: Directories;
  readonly mounts: Mounts;
  readonly facts: ResourceFacts;
  /** Bounds creations and starts over all pods. */
  readonly limiter: Limiter;
}

/** One more than the newest log: the runtime may have forgotten the runs before. Source: calcRestartCountByLogDir. */
async function restartsByLogs(directory: string): Promise<number> {
  const names = await readdir(directory).catch(() => []);
  const counts = names.flatMap((name) => (/^\d+\.log/.test(name) ? [Number.parseInt(name, 10) + 1] : []));
  return Math.max(0, ...counts);
}

/** Volumes show their owners in the pod's own ids; files that the kubelet writes for everybody need no mapping. Source: KEP-127. */
function mappedMounts(mounts: readonly Mount[], users: UserNamespace | undefined, container: Container): readonly Mount[] {
  const { uids: uidMappings, gids: gidMappings } = users ?? {};
  if (uidMappings === undefined || gidMappings === undefined) return mounts;
  const volumes = new Set((container.volumeMounts ?? []).map(({ mountPath }) => mountPath));
  return mounts.map((mount) => (volumes.has(mount.containerPath ?? '') ? { ...mount, uidMappings, gidMappings } : mount));
}

export function newContainerStarter(deps: Deps): ContainerStarter {
  const { runtime, random, events, images, hooks, killer, directories, facts, limiter } = deps;

  function targetId({ targetContainerName }: ContainerSpec, state: PodState): string | undefined {
    if (targetContainerName === undefined || targetContainerName === '') return undefined;
    const target = findInstance(state, targetContainerName);
    if (target === undefined) throw new Error(`unable to find target container ${targetContainerName}`);
    return target.id;
  }

  function usableImages({ container }: ContainerSpec, imageVolumes: PodContext['imageVolumes']): ReadonlyMap<string, ImageSpec> {
    const usable = new Map<string, ImageSpec>();
    for (const { name } of container.volumeMounts ?? []) {
      const found = imageVolumes.get(name);
      if (found instanceof StartError) throw found;
      if (found !== undefined) usable.set(name, found);
    }
    return usable;
  }

  async function makeConfig(spec: ContainerSpec, context: PodContext, image: PresentImage) {
    const { pod, state, sandboxConfig, podIps, volumes } = context;
    const { container } = spec;
    const logs = join(sandboxConfig.logDirectory ?? '', container.name);
    const before = findInstance(state, container.name);
    const restartCount = before === undefined ? await restartsByLogs(logs) : before.restartCount + 1;
    const environment = await context.environment(spec, podIps);
    verifyNonRoot(pod, container, image);
    await mkdir(logs, { recursive: true, mode: 0o755 });
    const mounts = await containerMounts({
      pod,
      container,
      volumes,
      environment: new Map(environment.map(({ name, value }) => [name, value])),
      images: usableImages(spec, context.imageVolumes),
      directories,
      mounts: deps.mounts,
      recursiveReadOnly: context.recursiveReadOnly,
      random,
    });
    const users = sandboxConfig.linux?.securityContext?.namespaceOptions?.usernsOptions;
    return containerConfig({
      pod,
      container,
      restartCount,
      image,
      environment,
      mounts: mappedMounts(mounts, users, container),
      targetId: targetId(spec, state),
      users,
      facts,
    });
  }

  async function postStart(spec: ContainerSpec, context: PodContext, containerId: string): Promise<void> {
    const { pod, podIps, signal } = context;
    const { container } = spec;
    const handler = container.lifecycle?.postStart;
    if (handler === undefined) return;
    try {
      await hooks.run(handler, { pod, container, containerId, podIp: podIps[0] ?? '' }, signal);
    } catch (err) {
      signal.throwIfAborted();
      // What the hook said may hold secrets: the event does not repeat it.
      events.event(containerReference(pod, spec), 'Warning', reasons.failedPostStartHook, 'PostStartHook failed');
      const { status } = await runtime.containerStatus({ containerId });
      const instance: ContainerInstance = instanceOf(status ?? { id: containerId }, '');
      const options = { message: 'FailedPostStartHook', reason: 'FailedPostStartHook' as const, signal };
      await killer.killContainer(pod, instance, podIps[0] ?? '', options);
      throw new StartError('PostStartHookError', messageOf(err), { cause: err });
    }
  }

  return {
    async start(spec, context) {
      const { pod, sandboxId, sandboxConfig, credentials, signal } = context;
      const about = containerReference(pod, spec);
      const fail = (reason: string, err: unknown): StartError => {
        signal.throwIfAborted();
        const known = err instanceof StartError;
        events.event(about, 'Warning', reasons.failed, `Error: ${known ? err.reason : messageOf(err)}`);
        return known ? err : new StartError(reason, messageOf(err), { cause: err });
      };
      const attempt = async <T>(reason: string, fn: () => Promise<T>): Promise<T> => {
        try {
          return await fn();
        } catch (err) {
          throw fail(reason, err);
        }
      };

      const { image = '', imagePullPolicy: pullPolicy } = spec.container;
      const present = await attempt('ErrImagePull', () =>
        images.ensure({ pod, about, image, pullPolicy, credentials, sandboxConfig }, signal),
      );
      const config = await attempt('CreateContainerConfigError', () => makeConfig(spec, context, present));
      const containerId = await attempt('CreateContainerError', () =>
        limiter.runFirst(
          async () => (await runtime.createContainer({ podSandboxId: sandboxId, config, sandboxConfig }, signal)).containerId ?? '',
        ),
      );
      events.event(about, 'Normal', reasons.created, 'Container created');
      await attempt('RunContainerError', () => limiter.runFirst(() => runtime.startContainer({ containerId }, signal)));
      events.event(about, 'Normal', reasons.started, 'Container started');
      await postStart(spec, context, containerId);
    },
  };
}
