import { createServer, type Socket } from 'node:net';
import type { Clock, Timer } from '@orrery/base';
import type { Resolver } from '../resolver.ts';
import type { ListenAddress, Listener } from './listen-address.ts';

const CONNECTIONS_MAX = 256;
/** As CoreDNS: a connection that says nothing for so long is closed. */
const IDLE_MS = 10_000;
/** Questions of one connection that wait for an answer; then its next ones wait in the kernel. */
const PIPELINED_MAX = 128;
/** Bytes of answers that the client does not fetch; then its next questions wait. */
const UNSENT_BYTES_MAX = 256 * 1024;

/** Rejects when the address cannot be had. @param onError - Told of what the server says later. */
export function listenOverTcp(
  { address, port }: ListenAddress,
  resolver: Resolver,
  clock: Clock,
  onError: (error: Error) => void,
): Promise<Listener> {
  const connections = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
    serve(socket, resolver, clock);
  });
  server.maxConnections = CONNECTIONS_MAX;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: address, port, exclusive: true }, () => {
      server.off('error', reject);
      server.on('error', onError);
      const bound = server.address();
      resolve({
        port: typeof bound === 'object' && bound !== null ? bound.port : port,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            for (const socket of connections) socket.destroy();
          }),
      });
    });
  });
}

/** Length-prefixed messages, answered as they become ready (RFC 7766). */
function serve(socket: Socket, resolver: Resolver, clock: Clock): void {
  let received: Buffer = Buffer.alloc(0);
  let waiting = 0;
  let idle: Timer | undefined;
  const restartIdle = (): void => {
    idle?.cancel();
    idle = clock.after(IDLE_MS, () => socket.destroy(), { background: true });
  };
  const mayRead = (): boolean => waiting < PIPELINED_MAX && socket.writableLength < UNSENT_BYTES_MAX;
  const reply = (message: Buffer): void => {
    waiting -= 1;
    if (socket.destroyed) return;
    const framed = Buffer.allocUnsafe(message.length + 2);
    framed.writeUInt16BE(message.length, 0);
    message.copy(framed, 2);
    socket.write(framed);
    if (mayRead()) proceed();
  };
  let proceeding = false;
  const proceed = (): void => {
    if (proceeding) return; // An answer that comes at once calls back into this loop.
    proceeding = true;
    while (received.length >= 2 && mayRead() && !socket.destroyed) {
      const end = 2 + received.readUInt16BE(0);
      if (received.length < end) break;
      const packet = Buffer.from(received.subarray(2, end));
      received = received.subarray(end);
      waiting += 1;
      if (!deserves(packet)) socket.destroy();
      else resolver.answer(packet, 'tcp', reply);
    }
    proceeding = false;
    if (mayRead()) socket.resume();
    else socket.pause();
  };
  restartIdle();
  socket.on('data', (chunk) => {
    restartIdle();
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    proceed();
  });
  socket.on('drain', proceed);
  socket.on('error', () => socket.destroy());
  socket.on('close', () => idle?.cancel());
}

/** What gets no answer over UDP ends a connection: its sender does not speak our language. */
const deserves = (packet: Buffer): boolean => packet.length >= 12 && ((packet[2] ?? 0) & 0x80) === 0;
