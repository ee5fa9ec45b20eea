import { isRuntimeNotFound, type Runtime, type RuntimeService } from '@orrery/cri';
import type { CriChannel } from './grpc/channel.ts';

const CALL_TIMEOUT_MS = 120_000; // The kubelet's runtimeRequestTimeout.
const SANDBOX_TIMEOUT_MS = 240_000; // Twice that: a first sandbox may pull its image.

type Streamed = 'exec' | 'attach' | 'portForward' | 'close';

/** CRI's calls that answer once, and the stream of events. */
export function remoteCalls(channel: CriChannel, closed: AbortSignal): Omit<Runtime, Streamed> {
  const call =
    (service: string, name: string, timeoutMs: number | undefined = CALL_TIMEOUT_MS) =>
    <Response extends object>(request: object, signal?: AbortSignal): Promise<Response> =>
      channel.call<Response>(service, name, request, { timeoutMs, signal });
  const runtime = (name: keyof RuntimeService & string, timeoutMs?: number) => call('RuntimeService', upperFirst(name), timeoutMs);
  const image = (name: string) => call('ImageService', upperFirst(name));
  /** CRI: what ends or removes something succeeds when it is gone. Not every runtime does so. */
  const unlessGone = async (pending: Promise<object>) => {
    await pending.catch((err: unknown) => {
      if (!isRuntimeNotFound(err)) throw err;
    });
    return {};
  };
  /** The runtime works for as long as the request says before it answers. */
  const longerBy = (seconds = 0): number => CALL_TIMEOUT_MS + seconds * 1000;
  return {
    version: runtime('version'),
    status: runtime('status'),
    runPodSandbox: runtime('runPodSandbox', SANDBOX_TIMEOUT_MS),
    stopPodSandbox: (request, signal) => unlessGone(runtime('stopPodSandbox')(request, signal)),
    removePodSandbox: (request, signal) => unlessGone(runtime('removePodSandbox')(request, signal)),
    podSandboxStatus: runtime('podSandboxStatus'),
    listPodSandbox: runtime('listPodSandbox'),
    createContainer: runtime('createContainer'),
    startContainer: runtime('startContainer'),
    stopContainer: (request, signal) => unlessGone(runtime('stopContainer', longerBy(request.timeout))(request, signal)),
    removeContainer: (request, signal) => unlessGone(runtime('removeContainer')(request, signal)),
    listContainers: runtime('listContainers'),
    containerStatus: runtime('containerStatus'),
    updateContainerResources: runtime('updateContainerResources'),
    reopenContainerLog: runtime('reopenContainerLog'),
    execSync: (request, signal) => runtime('execSync', longerBy(request.timeout))(request, signal),
    listContainerStats: runtime('listContainerStats'),
    async *getContainerEvents(request, signal) {
      const ends = AbortSignal.any(signal === undefined ? [closed] : [signal, closed]);
      yield* channel.stream('RuntimeService', 'GetContainerEvents', request, ends);
    },
    listImages: image('listImages'),
    imageStatus: image('imageStatus'),
    // A pull takes as long as it takes: the runtime itself gives up on one that stalls.
    pullImage: (request, signal) => channel.call('ImageService', 'PullImage', request, { signal }),
    removeImage: (request, signal) => unlessGone(image('removeImage')(request, signal)),
    imageFsInfo: image('imageFsInfo'),
  };
}

const upperFirst = (name: string): string => `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
