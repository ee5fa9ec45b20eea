import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { timeoutSignal } from '@orrery/base';
import type { ProxyEndpoint } from '../model/endpoint.ts';
import { type Balancer, newBalancer } from './balancer.ts';
import { admits, type Front } from './front.ts';
import type { Listener, ListenerContext } from './listener.ts';

/** An endpoint that does not answer is passed over for the next. */
const CONNECT_MS_MAX = 5000;

/** @throws the system's error when the address cannot be bound: EADDRNOTAVAIL, EADDRINUSE, EACCES. */
export async function listenTcp(first: Front, context: ListenerContext): Promise<Listener> {
  let front = first;
  const sockets = new Set<Socket>();
  const balancer = newBalancer(first, context.clock, context.random);
  const track = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy()); // Both ends go: see `join`.
    return socket;
  };
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (client) => {
    track(client);
    if (admits(front, client.remoteAddress ?? '')) void serve(client, balancer, track, context);
    else client.resetAndDestroy();
  });
  server.listen({ host: front.address, port: front.port, exclusive: true });
  await once(server, 'listening'); // Rejects with an 'error'.
  return {
    update(next) {
      front = next;
      balancer.update(next);
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

async function serve(client: Socket, balancer: Balancer, track: (socket: Socket) => Socket, { clock }: ListenerContext): Promise<void> {
  const address = client.remoteAddress ?? '';
  for (const endpoint of balancer.order(address)) {
    if (client.destroyed) return;
    const timeout = timeoutSignal(clock, CONNECT_MS_MAX);
    const server = track(connectTo(endpoint));
    try {
      await once(server, 'connect', { signal: timeout.signal });
      balancer.stick(address, endpoint);
      join(client, server);
      return;
    } catch {
      server.destroy(); // Refused or too slow: the next.
    } finally {
      timeout.dispose();
    }
  }
  client.resetAndDestroy();
}

const connectTo = ({ ip, port }: ProxyEndpoint): Socket => connect({ host: ip, port, allowHalfOpen: true, noDelay: true });

/** Bytes, ends and failures go through in both directions. */
function join(client: Socket, server: Socket): void {
  client.pipe(server).pipe(client);
  client.on('close', () => server.destroy());
  server.on('close', () => client.destroy());
  if (client.destroyed) server.destroy();
  client.resume();
}
