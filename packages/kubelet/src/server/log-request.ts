import type { ContainerStatus, PodStatus } from '@orrery/api/core/v1';
import type { LogOptions } from '../logs/reader.ts';
import { HttpError } from './http-error.ts';

export interface LogRequest extends LogOptions {
  /** The run before this one. */
  readonly previous: boolean;
}

const truthy = (value: string | null): boolean => value !== null && value !== 'false' && value !== '0';

function whole(query: URLSearchParams, name: string, least: number): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const value = Number(text);
  if (!Number.isInteger(value)) throw new HttpError(400, `invalid ${name}: ${text}`);
  if (value < least)
    throw new HttpError(422, `${name}: Invalid value: ${value}: must be greater than ${least === 0 ? 'or equal to 0' : '0'}`);
  return value;
}

/** Source: kubelet server getContainerLogs and core/v1 PodLogOptions. @throws {HttpError} */
export function parseLogRequest(query: URLSearchParams, nowMs: number): LogRequest {
  const sinceSeconds = whole(query, 'sinceSeconds', 1);
  const sinceTime = query.get('sinceTime');
  const sinceMs = sinceSeconds === undefined ? (sinceTime === null ? undefined : Date.parse(sinceTime)) : nowMs - sinceSeconds * 1000;
  if (sinceMs !== undefined && Number.isNaN(sinceMs)) throw new HttpError(400, `invalid sinceTime: ${sinceTime}`);
  const stream = query.get('stream');
  if (stream !== null && !['All', 'Stdout', 'Stderr', ''].includes(stream)) {
    throw new HttpError(422, `stream: Unsupported value: "${stream}": supported values: "All", "Stderr", "Stdout"`);
  }
  return {
    follow: truthy(query.get('follow')),
    previous: truthy(query.get('previous')),
    timestamps: truthy(query.get('timestamps')),
    tailLines: whole(query, 'tailLines', 0),
    limitBytes: whole(query, 'limitBytes', 1),
    sinceMs,
    ...(stream === 'Stdout' ? { stream: 'stdout' as const } : stream === 'Stderr' ? { stream: 'stderr' as const } : {}),
  };
}

/**
 * The id of the run whose log is asked for.
 * @throws {HttpError} worded for the person who asked. Source: kubelet validateContainerLogStatus.
 */
export function loggedContainer(status: PodStatus, podName: string, container: string, previous: boolean): string {
  const all = [...(status.containerStatuses ?? []), ...(status.initContainerStatuses ?? []), ...(status.ephemeralContainerStatuses ?? [])];
  const found: ContainerStatus | undefined = all.find(({ name }) => name === container);
  const where = `container "${container}" in pod "${podName}"`;
  if (found === undefined) throw new HttpError(400, `${where} is not available`);
  const last = found.lastState?.terminated?.containerID ?? '';
  const { running, terminated, waiting } = found.state ?? {};
  if (previous) {
    if (last === '') throw new HttpError(400, `previous terminated ${where} not found`);
    return last;
  }
  if (running !== undefined) return found.containerID ?? '';
  if (terminated !== undefined || last !== '') {
    const id = terminated?.containerID || last;
    if (id === '') throw new HttpError(400, `${where} is terminated`);
    return id;
  }
  const why: Readonly<Record<string, string>> = {
    ErrImagePull: "image can't be pulled",
    ImagePullBackOff: 'trying and failing to pull image',
  };
  const reason = waiting?.reason ?? '';
  throw new HttpError(400, `${where} is waiting to start: ${why[reason] ?? (reason === '' ? 'no logs yet' : reason)}`);
}
