import type { Readable, Writable } from 'node:stream';
import type { ImageService, RuntimeService } from './generated/cri-v1.ts';

/** The ends of an exec or attach. What is absent is not wanted. */
export interface ContainerStreams {
  readonly stdin?: Readable | undefined;
  readonly stdout?: Writable | undefined;
  /** Never with a terminal: its output comes on stdout. */
  readonly stderr?: Writable | undefined;
  /** Terminal sizes as they change; only with a terminal. */
  readonly resize?: AsyncIterable<{ readonly width: number; readonly height: number }> | undefined;
}

type RuntimeCalls =
  | 'version'
  | 'status'
  | 'runPodSandbox'
  | 'stopPodSandbox'
  | 'removePodSandbox'
  | 'podSandboxStatus'
  | 'listPodSandbox'
  | 'createContainer'
  | 'startContainer'
  | 'stopContainer'
  | 'removeContainer'
  | 'listContainers'
  | 'containerStatus'
  | 'updateContainerResources'
  | 'reopenContainerLog'
  | 'execSync'
  | 'listContainerStats'
  | 'getContainerEvents';
type ImageCalls = 'listImages' | 'imageStatus' | 'pullImage' | 'removeImage' | 'imageFsInfo';

/**
 * What the kubelet drives: CRI v1's calls that it uses, with the three streaming ones as streams instead of URLs.
 * Times are nanoseconds since the epoch, as CRI has them (whole microseconds at best: they are doubles here).
 * Errors are {@link RuntimeError}s.
 */
export interface Runtime extends Pick<RuntimeService, RuntimeCalls>, Pick<ImageService, ImageCalls> {
  /** Resolves with the exit code once the process ended and its output is drained. Abort ends the process. */
  exec(
    request: { readonly containerId: string; readonly command: readonly string[]; readonly tty: boolean },
    streams: ContainerStreams,
    signal: AbortSignal,
  ): Promise<number>;
  /** Resolves when the container ends or the streams close. Abort detaches, the container goes on. */
  attach(request: { readonly containerId: string; readonly tty: boolean }, streams: ContainerStreams, signal: AbortSignal): Promise<void>;
  /** Joins `stream` to a TCP port inside the sandbox until one side closes. */
  portForward(
    request: { readonly podSandboxId: string; readonly port: number },
    stream: { readonly readable: Readable; readonly writable: Writable },
    signal: AbortSignal,
  ): Promise<void>;
  /** Stops watching; containers go on. */
  close(): Promise<void>;
}
