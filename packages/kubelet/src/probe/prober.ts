import { createConnection } from 'node:net';
import type { Container, Pod, Probe } from '@orrery/api/core/v1';
import { abortable, anySignal, type Clock, timeoutSignal } from '@orrery/base';
import type { Runtime } from '@orrery/cri';
import { messageOf } from '../runtime/errors.ts';
import { goDuration } from '../runtime/images.ts';
import { grpcHealth } from './grpc-health.ts';
import { httpGet, httpTarget, resolvePort } from './http.ts';

/** `error`: the probe itself could not be made; it says nothing of the container. */
export interface ProbeAnswer {
  readonly result: 'success' | 'warning' | 'failure' | 'error';
  /** What people are told of it. */
  readonly output: string;
}

export interface ProbeTarget {
  readonly pod: Pod;
  readonly container: Container;
  readonly containerId: string;
  readonly podIp: string;
}

/** Makes one probe. Source: kubelet prober.runProbe. */
export interface Prober {
  probe(probe: Probe, target: ProbeTarget, signal: AbortSignal): Promise<ProbeAnswer>;
}

const USER_AGENT = 'kube-probe/1.36';
const REDIRECTS_MAX = 10;
const OUTPUT_BYTES_MAX = 10 * 1024;

const success = (output = ''): ProbeAnswer => ({ result: 'success', output });
const failure = (output: string): ProbeAnswer => ({ result: 'failure', output });

const hostOf = (host: string | undefined, podIp: string): string => (host === undefined || host === '' ? podIp : host);

/** Words a failed connection as Go does. */
function dialError(err: unknown, address: string): string {
  const code = typeof err === 'object' && err !== null && 'code' in err ? String(err.code) : '';
  const known: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'connect: connection refused',
    EHOSTUNREACH: 'connect: no route to host',
    ENETUNREACH: 'connect: network is unreachable',
    ECONNRESET: 'read: connection reset by peer',
  };
  return `dial tcp ${address}: ${known[code] ?? messageOf(err)}`;
}

async function http(probe: Probe, target: ProbeTarget, signal: AbortSignal): Promise<ProbeAnswer> {
  const action = probe.httpGet ?? { port: 0 };
  const first = httpTarget(action, target.container, target.podIp, USER_AGENT);
  let { url } = first;
  try {
    for (let hops = 0; ; hops += 1) {
      const { status, location, body } = await httpGet({ ...first, url }, signal);
      if (status >= 300 && status < 400 && location !== undefined && status !== 304) {
        const next = new URL(location, url);
        if (next.hostname !== url.hostname) return { result: 'warning', output: `Probe terminated redirects, Response body: ${body}` };
        if (hops >= REDIRECTS_MAX) return failure(`Get "${url}": stopped after ${REDIRECTS_MAX} redirects`);
        url = next;
        continue;
      }
      return status >= 200 && status < 400 ? success(body) : failure(`HTTP probe failed with statuscode: ${status}`);
    }
  } catch (err) {
    if (signal.aborted) return failure(`Get "${url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`);
    return failure(`Get "${url}": ${dialError(err, url.host)}`);
  }
}

function tcp(probe: Probe, { container, podIp }: ProbeTarget, signal: AbortSignal): Promise<ProbeAnswer> {
  const host = hostOf(probe.tcpSocket?.host, podIp);
  const port = resolvePort(probe.tcpSocket?.port ?? 0, container);
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  return new Promise((resolve) => {
    const socket = createConnection({ host, port, signal });
    const done = (answer: ProbeAnswer): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.on('connect', () => done(success()));
    socket.on('error', (err) => done(failure(signal.aborted ? `dial tcp ${address}: i/o timeout` : dialError(err, address))));
  });
}

async function exec(runtime: Runtime, probe: Probe, { containerId }: ProbeTarget, timeoutSeconds: number, signal: AbortSignal) {
  const cmd = probe.exec?.command ?? [];
  try {
    const {
      exitCode = 0,
      stdout,
      stderr,
    } = await abortable(runtime.execSync({ containerId, cmd, timeout: timeoutSeconds }, signal), signal);
    const output = Buffer.concat([stdout ?? Buffer.alloc(0), stderr ?? Buffer.alloc(0)])
      .subarray(0, OUTPUT_BYTES_MAX)
      .toString();
    return exitCode === 0 ? success(output) : failure(output);
  } catch (err) {
    const code = typeof err === 'object' && err !== null && 'code' in err ? err.code : '';
    const command = cmd.join(' ');
    if (signal.aborted || code === 'DEADLINE_EXCEEDED') {
      return failure(`command timed out: "${command}" timed out after ${goDuration(timeoutSeconds * 1000)}`);
    }
    return { result: 'error' as const, output: messageOf(err) };
  }
}

export function newProber(runtime: Runtime, clock: Clock): Prober {
  return {
    async probe(probe, target, signal) {
      const timeoutSeconds = probe.timeoutSeconds ?? 1;
      using timeout = timeoutSignal(clock, timeoutSeconds * 1000);
      using either = anySignal(signal, timeout.signal);
      try {
        if (probe.exec !== undefined) return await exec(runtime, probe, target, timeoutSeconds, either.signal);
        if (probe.httpGet !== undefined) return await http(probe, target, either.signal);
        if (probe.tcpSocket !== undefined) return await tcp(probe, target, either.signal);
        if (probe.grpc !== undefined) {
          return await grpcHealth({ host: target.podIp, port: probe.grpc.port, service: probe.grpc.service ?? '' }, either.signal);
        }
        return { result: 'error', output: `missing probe handler for ${target.pod.metadata.name}:${target.container.name}` };
      } catch (err) {
        return { result: 'error', output: messageOf(err) };
      }
    },
  };
}
