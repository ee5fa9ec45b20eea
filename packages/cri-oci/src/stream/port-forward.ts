import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import type { Duplex, Readable, Writable } from 'node:stream';
import { sealedStdio } from '@orrery/base';
import { RuntimeError } from '@orrery/cri';
import { signalProcess } from '../host/cgroups.ts';
import type { Host } from '../host/host.ts';

export interface ForwardInput {
  readonly host: Host;
  readonly sandboxId: string;
  /** Absent: the pod is on the host's network. */
  readonly netnsPath: string | undefined;
  readonly port: number;
}

export interface ForwardStream {
  readonly readable: Readable;
  readonly writable: Writable;
}

/** Joins a stream to a port of the pod's own localhost, IPv4 first, as container runtimes do. */
export async function forwardPort(input: ForwardInput, stream: ForwardStream, signal: AbortSignal): Promise<void> {
  const { netnsPath, host } = input;
  if (netnsPath === undefined) return forwardFromHost(input, stream, signal);
  if (host.socat === undefined) throw new RuntimeError('UNIMPLEMENTED', 'port forwarding is not possible here: install socat');
  // A connection that is refused has read nothing, so the other family gets the whole stream.
  const [four, six] = [`TCP4:127.0.0.1:${input.port}`, `TCP6:[::1]:${input.port}`];
  // Either side may end first: each end is passed on at once, and what comes the other way has 30 s more.
  const script = 'socat=$1; "$socat" -t 30 -,shut-down "$2" || exec "$socat" -t 30 -,shut-down "$3"';
  const child = spawn('nsenter', [`--net=${netnsPath}`, '--', '/bin/sh', '-c', script, 'orrery', host.socat, four, six], {
    env: { PATH: host.path },
    detached: true,
    stdio: sealedStdio(['pipe', 'pipe', 'pipe']),
  });
  const { stdin, stdout, stderr } = child;
  if (stdin === null || stdout === null || stderr === null) throw new RuntimeError('INTERNAL', 'port-forward: no pipes');
  const abort = (): void => void (child.pid !== undefined && signalProcess(-child.pid, 'SIGKILL'));
  signal.addEventListener('abort', abort, { once: true });
  let complaint = '';
  stderr.on('data', (chunk: Buffer) => (complaint = (complaint + String(chunk)).slice(-2048)));
  stdin.on('error', () => undefined); // The other side is gone: shows as the end of the connection.
  stream.readable.pipe(stdin);
  stdout.pipe(stream.writable);
  let left = false;
  const leave = (): void => {
    left = true;
    abort();
  };
  stream.writable.once('close', leave);
  const code = await new Promise<number | null>((resolve) => child.once('error', () => resolve(null)).once('close', resolve));
  signal.removeEventListener('abort', abort);
  stream.writable.off('close', leave);
  stream.readable.unpipe(stdin);
  if (code === 0 || left || signal.aborted) return;
  const reason = complaint.trim().split(' E ').at(-1) ?? '';
  throw new RuntimeError(
    'UNAVAILABLE',
    `failed to connect to localhost:${input.port} inside namespace "${input.sandboxId}": ${reason || 'the connection broke'}`,
  );
}

async function forwardFromHost(
  { port, sandboxId }: ForwardInput,
  { readable, writable }: ForwardStream,
  signal: AbortSignal,
): Promise<void> {
  const socket = await dial('127.0.0.1', port).catch(() =>
    dial('::1', port).catch((cause: Error) => {
      throw new RuntimeError('UNAVAILABLE', `failed to connect to localhost:${port} inside namespace "${sandboxId}": ${cause.message}`, {
        cause,
      });
    }),
  );
  const abort = (): void => void socket.destroy();
  signal.addEventListener('abort', abort, { once: true });
  try {
    socket.on('error', () => undefined); // Shows as the end of the connection.
    readable.pipe(socket);
    socket.pipe(writable);
    readable.once('close', () => socket.end());
    writable.once('close', abort);
    await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function dial(host: string, port: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true });
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
    socket.once('error', reject);
  });
}
