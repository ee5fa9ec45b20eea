import type { ObjectReference, Pod } from '@orrery/api/core/v1';
import { abortable, type Clock } from '@orrery/base';
import type { AuthConfig, ImageSpec, PodSandboxConfig, Runtime } from '@orrery/cri';
import type { RestartBackoff } from './backoff.ts';
import { messageOf } from './errors.ts';
import { type EventSink, type EventType, reasons } from './events.ts';
import { hasTagOrDigest, isImageReference } from './image-reference.ts';
import { credentialsFor } from './keyring.ts';
import { StartError } from './start-error.ts';

export interface ImageWish {
  readonly pod: Pod;
  /** What events are about: the container, or the pod for an image volume. */
  readonly about: ObjectReference;
  readonly image: string;
  readonly pullPolicy: string | undefined;
  readonly credentials: readonly AuthConfig[];
  readonly sandboxConfig: PodSandboxConfig;
}

export interface PresentImage {
  /** What the runtime is to be asked for. */
  readonly spec: ImageSpec;
  /** The user that the image names. */
  readonly uid: number | undefined;
  readonly username: string;
}

/** Sees to it that images are on the node. Source: kubelet images.EnsureImageExists. */
export interface ImagePuller {
  /** @throws {StartError} with the reason that the container then waits for. */
  ensure(wish: ImageWish, signal: AbortSignal): Promise<PresentImage>;
  /** Forgets failures that are long over. */
  prune(): void;
}

/** Go's `time.Duration` as text, for times of at least a millisecond. */
export function goDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  const seconds = Number(((ms % 60_000) / 1000).toFixed(3));
  return `${hours > 0 ? `${hours}h` : ''}${hours > 0 || minutes > 0 ? `${minutes}m` : ''}${seconds}s`;
}

const defaultPolicy = (image: string): string => (image.endsWith(':latest') ? 'Always' : 'IfNotPresent');

export function newImagePuller(deps: {
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly events: EventSink;
  readonly backoff: RestartBackoff;
}): ImagePuller {
  const { runtime, clock, events, backoff } = deps;
  const pulls = new Map<string, Promise<string>>(); // One pull at a time for one image and set of credentials.

  async function pull(spec: ImageSpec, { credentials, sandboxConfig }: ImageWish): Promise<string> {
    const own = credentialsFor(spec.image ?? '', credentials);
    const attempts: readonly (AuthConfig | undefined)[] = own.length === 0 ? [undefined] : own;
    let failure: unknown;
    for (const auth of attempts) {
      try {
        const { imageRef = '' } = await runtime.pullImage({ image: spec, sandboxConfig, ...(auth === undefined ? {} : { auth }) });
        return imageRef;
      } catch (err) {
        failure = err;
      }
    }
    throw failure;
  }

  function pullShared(spec: ImageSpec, wish: ImageWish): Promise<string> {
    const key = JSON.stringify([spec.image, wish.credentials]);
    const running = pulls.get(key);
    if (running !== undefined) return running;
    const started = pull(spec, wish).finally(() => pulls.delete(key));
    pulls.set(key, started);
    return started;
  }

  async function inspect(spec: ImageSpec, tell: (type: EventType, reason: string, message: string) => void, image: string) {
    try {
      return (await runtime.imageStatus({ image: spec })).image;
    } catch (err) {
      const message = `Failed to inspect image "${image}": ${messageOf(err)}`;
      tell('Warning', reasons.failedToInspect, message);
      throw new StartError('ImageInspectError', message);
    }
  }

  async function pullNow(
    spec: ImageSpec,
    wish: ImageWish,
    tell: (type: EventType, reason: string, message: string) => void,
    signal: AbortSignal,
  ) {
    const { image } = wish;
    const key = `${wish.pod.metadata.uid}_${image}`;
    if (backoff.remainingSinceStepMs(key) > 0) {
      tell('Normal', reasons.backOff, `Back-off pulling image "${image}"`);
      throw new StartError('ImagePullBackOff', `Back-off pulling image "${image}": ${lastFailure.get(key) ?? ''}`, {
        retryAfterMs: backoff.remainingSinceStepMs(key),
      });
    }
    tell('Normal', reasons.pulling, `Pulling image "${image}"`);
    const startMs = clock.monotonicMs();
    try {
      await abortable(pullShared(spec, wish), signal); // The pull itself goes on: another pod may wait for it.
    } catch (err) {
      signal.throwIfAborted();
      tell('Warning', reasons.failed, `Failed to pull image "${image}": ${messageOf(err)}`);
      backoff.step(key, clock.now());
      lastFailure.set(key, `ErrImagePull: ${messageOf(err)}`);
      throw new StartError('ErrImagePull', messageOf(err), { retryAfterMs: backoff.remainingSinceStepMs(key), cause: err });
    }
    lastFailure.delete(key);
    backoff.reset(key);
    const present = await inspect(spec, tell, image);
    const took = goDuration(clock.monotonicMs() - startMs);
    const size = `Image size: ${present?.size ?? 0} bytes.`;
    tell('Normal', reasons.pulled, `Successfully pulled image "${image}" in ${took} (${took} including waiting). ${size}`);
    return present;
  }
  const lastFailure = new Map<string, string>(); // Why the last pull failed, by back-off key; shown while backing off.

  return {
    async ensure(wish, signal) {
      const tell = (type: EventType, reason: string, message: string): void => events.event(wish.about, type, reason, message);
      if (!isImageReference(wish.image)) {
        const message = `Failed to apply default image tag "${wish.image}": couldn't parse image name "${wish.image}": invalid reference format`;
        tell('Warning', 'InspectFailed', message);
        throw new StartError('InvalidImageName', message);
      }
      const image = hasTagOrDigest(wish.image) ? wish.image : `${wish.image}:latest`;
      const spec: ImageSpec = { image, userSpecifiedImage: wish.image };
      const policy = wish.pullPolicy || defaultPolicy(image);
      const present = await inspect(spec, tell, wish.image);
      let found = present;
      if (present === undefined && policy === 'Never') {
        const message = `Container image "${wish.image}" is not present with pull policy of Never`;
        tell('Warning', reasons.errImageNeverPull, message);
        throw new StartError('ErrImageNeverPull', message);
      }
      if (present === undefined || policy === 'Always') found = await pullNow(spec, wish, tell, signal);
      else tell('Normal', reasons.pulled, `Container image "${wish.image}" already present on machine and can be accessed by the pod`);
      return { spec: { ...spec, imageRef: found?.id ?? image }, uid: found?.uid?.value, username: found?.username ?? '' };
    },
    prune() {
      backoff.prune();
      for (const key of lastFailure.keys()) if (backoff.delayMs(key) === 0) lastFailure.delete(key);
    },
  };
}
