import type { Clock } from '@orrery/base';
import type { Runtime } from '@orrery/cri';
import type { WebSocket } from 'ws';
import { readLogs } from '../logs/reader.ts';
import { allContainers } from '../pod/container-spec.ts';
import type { StatusWriter } from '../status/status-writer.ts';
import type { PodWorkers } from '../worker/pod-workers.ts';
import { HttpError } from './http-error.ts';
import { loggedContainer, parseLogRequest } from './log-request.ts';

interface Deps {
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly workers: PodWorkers;
  readonly statuses: StatusWriter;
}

/** Writes the log from its beginning to its end; `write` resolves when more may come. */
export type LogSource = (write: (chunk: Buffer) => Promise<void>, signal: AbortSignal) => Promise<void>;

/** Finds a container's log. @param path - Namespace, pod and container. @throws {HttpError} */
export async function openContainerLogs(deps: Deps, path: readonly string[], query: URLSearchParams): Promise<LogSource> {
  const { runtime, clock, workers, statuses } = deps;
  const [namespace = '', name = '', container = ''] = path;
  const pod = workers.find(namespace, name);
  if (pod === undefined) throw new HttpError(404, 'pod does not exist');
  if (!allContainers(pod.spec).some((spec) => spec.container.name === container)) {
    throw new HttpError(404, `container "${container}" not found in pod "${name}"`);
  }
  const options = parseLogRequest(query, clock.now());
  const fullId = loggedContainer(statuses.get(pod.metadata.uid) ?? pod.status ?? {}, name, container, options.previous);
  const containerId = fullId.split('://')[1] ?? fullId;
  const { status } = await runtime
    .containerStatus({ containerId })
    .catch((cause: unknown) => Promise.reject(new HttpError(400, `unable to retrieve container logs for ${fullId}`, { cause })));
  const running = async (): Promise<boolean> => {
    const now = await runtime.containerStatus({ containerId }).catch(() => undefined);
    return now?.status?.state === 'CONTAINER_RUNNING';
  };
  return async (write, signal) => {
    await readLogs({ path: status?.logPath ?? '', running, clock }, options, write, signal);
  };
}

/** Subprotocols in which a log is sent; none is the first. Source: apiserver wsstream NewDefaultReaderProtocols. */
export const logProtocols: readonly string[] = ['binary.k8s.io', 'base64.binary.k8s.io'];

/** Sends a log in messages, then closes. */
export async function sendLogs(socket: WebSocket, source: LogSource): Promise<void> {
  const stop = new AbortController();
  socket.on('close', () => stop.abort());
  const text = socket.protocol === 'base64.binary.k8s.io';
  const write = (chunk: Buffer): Promise<void> =>
    new Promise((resolve) => socket.send(text ? chunk.toString('base64') : chunk, { binary: !text }, () => resolve()));
  try {
    await source(write, stop.signal);
    socket.close(1000);
  } finally {
    if (stop.signal.aborted) socket.terminate();
  }
}
