import type { Clock } from '@orrery/base';
import {
  type AttachResponse,
  type ExecResponse,
  isRuntimeError,
  type PortForwardResponse,
  type Runtime,
  RuntimeError,
  type RuntimeStatus,
} from '@orrery/cri';
import { endpointOf } from './endpoint.ts';
import { type CriChannel, dialCri } from './grpc/channel.ts';
import { remoteCalls } from './remote-calls.ts';
import { type AttachCall, attachApart } from './streaming/attach.ts';
import { forwardRemotePort } from './streaming/port-forward.ts';
import { commandStreams, runRemoteCommand } from './streaming/remote-command.ts';

export interface RemoteRuntimeOptions {
  /** `unix:///run/containerd/containerd.sock`, or just the path. */
  readonly endpoint: string;
  readonly clock: Clock;
  /** How long the socket may take to answer at first. @default 10,000 */
  readonly connectTimeoutMs?: number;
}

export interface RemoteRuntime extends Runtime {
  /** For people: what the runtime lacks. Said once. */
  readonly notes: readonly string[];
}

const CONNECT_TIMEOUT_MS = 10_000;
const STREAM_TIMEOUT_MS = 120_000;

/**
 * Opens a CRI runtime behind a socket. When the socket goes away, calls fail with `UNAVAILABLE` until it is back.
 * @throws {RuntimeError} `UNAVAILABLE` when nothing answers, `FAILED_PRECONDITION` when what answers is no CRI v1.
 */
export async function openRemoteRuntime(options: RemoteRuntimeOptions): Promise<RemoteRuntime> {
  const { clock, connectTimeoutMs = CONNECT_TIMEOUT_MS } = options;
  const endpoint = endpointOf(options.endpoint);
  const channel = await dialCri(endpoint, clock);
  try {
    await channel.ready(connectTimeoutMs);
    const closed = new AbortController();
    const calls = remoteCalls(channel, closed.signal);
    await calls.version({}).catch((cause: unknown) => {
      if (!isRuntimeError(cause) || cause.code !== 'UNIMPLEMENTED') throw cause;
      throw new RuntimeError('FAILED_PRECONDITION', `what answers at ${endpoint} is no CRI v1 runtime: ${cause.message}`, { cause });
    });
    const { status = {} } = await calls.status({});
    return {
      ...calls,
      ...streamingCalls(channel),
      notes: notesOf(status),
      async close() {
        closed.abort();
        channel.close();
      },
    };
  } catch (err) {
    channel.close();
    throw err;
  }
}

/** A condition that does not hold keeps pods from starting, so people want to know. */
function notesOf({ conditions = [] }: RuntimeStatus): readonly string[] {
  return conditions
    .filter(({ status }) => status !== true)
    .map(({ type = '', reason = '', message = '' }) => `the runtime says ${type} is false: ${message === '' ? reason : message}`);
}

function streamingCalls(channel: CriChannel): Pick<Runtime, 'exec' | 'attach' | 'portForward'> {
  const urlOf = async (name: 'Exec' | 'Attach' | 'PortForward', request: object, signal: AbortSignal): Promise<URL> => {
    type Response = ExecResponse | AttachResponse | PortForwardResponse;
    const { url = '' } = await channel.call<Response>('RuntimeService', name, request, { timeoutMs: STREAM_TIMEOUT_MS, signal });
    if (!URL.canParse(url)) throw new RuntimeError('INTERNAL', `the runtime gives ${JSON.stringify(url)} as address of a stream`);
    return new URL(url);
  };
  return {
    async exec({ containerId, command, tty }, streams, signal) {
      const wanted = commandStreams(streams, tty);
      const url = await urlOf('Exec', { containerId, cmd: command, ...wanted }, signal);
      return runRemoteCommand(url, wanted, streams, signal);
    },
    async attach({ containerId, tty }, streams, signal) {
      const call: AttachCall = async (part, ends, joined) => {
        const wanted = commandStreams(part, tty);
        await runRemoteCommand(await urlOf('Attach', { containerId, ...wanted }, ends), wanted, part, ends, joined);
      };
      const apart = streams.stdin !== undefined && streams.stderr !== undefined && !tty;
      await (apart ? attachApart(call, streams, signal) : call(streams, signal, () => undefined));
    },
    async portForward({ podSandboxId, port }, ends, signal) {
      await forwardRemotePort(await urlOf('PortForward', { podSandboxId, port: [port] }, signal), port, ends, signal);
    },
  };
}
