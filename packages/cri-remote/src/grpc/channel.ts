import type { Client } from '@grpc/grpc-js';
import type { Clock } from '@orrery/base';
import { RuntimeError } from '@orrery/cri';
import { decodeMessage } from '../wire/decode.ts';
import { encodeMessage } from '../wire/encode.ts';
import { newPlanner } from '../wire/plan.ts';
import { criTable } from '../wire/table.ts';
import { runtimeErrorOf } from './status-code.ts';

export interface CallOptions {
  /** @default no deadline */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Calls of CRI v1 over one connection, which is made anew whenever the socket comes back. */
export interface CriChannel {
  /** @throws {RuntimeError} in the runtime's words; the signal's reason when that aborts first. */
  call<Response extends object>(service: string, name: string, request: object, options?: CallOptions): Promise<Response>;
  /** Ends with the stream, or when the signal aborts. */
  stream<Response extends object>(service: string, name: string, request: object, signal?: AbortSignal): AsyncIterable<Response>;
  /** Resolves once the socket answers. @throws {RuntimeError} `UNAVAILABLE` when it does not in time. */
  ready(timeoutMs: number): Promise<void>;
  close(): void;
}

const MESSAGE_BYTES_MAX = 16 * 1024 * 1024; // As upstream's kubelet: lists of many containers are long.
const RECONNECT_FIRST_MS = 100;
const RECONNECT_MAX_MS = 3_000; // As upstream's kubelet.

/** @param endpoint - `unix:///path/of.sock`, or another target that gRPC knows. */
export async function dialCri(endpoint: string, clock: Clock): Promise<CriChannel> {
  const grpc = await import('@grpc/grpc-js'); // Tens of milliseconds: only who has a remote runtime pays them.
  const client = new grpc.Client(endpoint, grpc.credentials.createInsecure(), {
    'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
    'grpc.max_send_message_length': MESSAGE_BYTES_MAX,
    'grpc.initial_reconnect_backoff_ms': RECONNECT_FIRST_MS,
    'grpc.min_reconnect_backoff_ms': RECONNECT_FIRST_MS,
    'grpc.max_reconnect_backoff_ms': RECONNECT_MAX_MS,
    'grpc.default_authority': 'localhost',
  });
  const table = criTable();
  const planner = newPlanner(table);
  const methodOf = (service: string, name: string) => {
    const [request, response] = table.services[service]?.[name] ?? [];
    if (request === undefined || response === undefined) throw new RuntimeError('UNIMPLEMENTED', `CRI v1 has no call ${service}.${name}`);
    return {
      path: `/${table.package}.${service}/${name}`,
      serialize: (value: object): Buffer => encodeMessage(planner.plan(request), value),
      deserialize: (bytes: Buffer): object => decodeMessage(planner.plan(response), bytes),
    };
  };
  return {
    call: <Response extends object>(service: string, name: string, request: object, options: CallOptions = {}) =>
      unary(client, clock, methodOf(service, name), request, options) as Promise<Response>,
    stream: <Response extends object>(service: string, name: string, request: object, signal?: AbortSignal) =>
      serverStream(client, methodOf(service, name), request, signal) as AsyncIterable<Response>,
    ready: (timeoutMs) => waitForReady(client, endpoint, timeoutMs, clock),
    close: () => client.close(),
  };
}

interface Method {
  readonly path: string;
  readonly serialize: (value: object) => Buffer;
  readonly deserialize: (bytes: Buffer) => object;
}

function unary(client: Client, clock: Clock, method: Method, request: object, { timeoutMs, signal }: CallOptions): Promise<object> {
  signal?.throwIfAborted();
  const bytes = method.serialize(request); // Here, so that what is wrong with the request is told as such.
  return new Promise((resolve, reject) => {
    let late: RuntimeError | undefined;
    const onAbort = (): void => call.cancel();
    const call = client.makeUnaryRequest(
      method.path,
      (value: Buffer) => value,
      method.deserialize,
      bytes,
      (err, response) => {
        timer?.cancel();
        signal?.removeEventListener('abort', onAbort);
        if (err === null && response !== undefined) resolve(response);
        else reject(late ?? (signal?.aborted === true ? signal.reason : runtimeErrorOf(err)));
      },
    );
    const expire = (): void => {
      late = new RuntimeError('DEADLINE_EXCEEDED', `the runtime did not answer ${method.path.slice(1)} within ${timeoutMs} ms`);
      call.cancel();
    };
    const timer = timeoutMs === undefined ? undefined : clock.after(timeoutMs, expire, { background: true });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

const isAborted = (signal: AbortSignal | undefined): boolean => signal?.aborted === true;

async function* serverStream(client: Client, method: Method, request: object, signal: AbortSignal | undefined): AsyncIterable<object> {
  if (isAborted(signal)) return;
  const call = client.makeServerStreamRequest(method.path, (value: Buffer) => value, method.deserialize, method.serialize(request));
  const onAbort = (): void => call.cancel();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    for await (const message of call) yield message as object;
  } catch (err) {
    if (!isAborted(signal)) throw runtimeErrorOf(err);
  } finally {
    signal?.removeEventListener('abort', onAbort);
    call.cancel();
  }
}

function waitForReady(client: Client, endpoint: string, timeoutMs: number, clock: Clock): Promise<void> {
  return new Promise((resolve, reject) => {
    const unanswered = (): RuntimeError => new RuntimeError('UNAVAILABLE', `nothing answers at ${endpoint} within ${timeoutMs} ms`);
    const timer = clock.after(timeoutMs, () => reject(unanswered()));
    client.waitForReady(Number.POSITIVE_INFINITY, (err) => {
      timer.cancel();
      if (err === undefined) resolve();
      else reject(unanswered());
    });
  });
}
