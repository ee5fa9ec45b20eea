import { connect, type Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { RuntimeError } from '@orrery/cri';

/** Joins a stream to a port of a pod: on the pod's own address, or on 127.0.0.1 for programs that listen only there. */
export async function forwardPort(
  address: string,
  port: number,
  { readable, writable }: { readonly readable: Readable; readonly writable: Writable },
  signal: AbortSignal,
): Promise<void> {
  const socket = await dial(address, port).catch(() => dial('127.0.0.1', port));
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

function dial(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true });
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
    socket.once('error', (cause) =>
      reject(new RuntimeError('UNAVAILABLE', `failed to connect to ${host}:${port} inside the pod: ${cause.message}`, { cause })),
    );
  });
}
