import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Timer } from '@orrery/base';
import { familyOf, hostPort } from '../model/addresses.ts';
import { newBalancer } from './balancer.ts';
import { admits, type Front } from './front.ts';
import type { Listener, ListenerContext } from './listener.ts';

/** A client from whom and to whom nothing came for so long is forgotten. */
const IDLE_MS = 60_000;
/** Clients at one front; the oldest make room. */
const CLIENTS_MAX = 4096;

interface Flow {
  readonly socket: Socket;
  readonly endpoint: string;
  readonly ready: Promise<unknown>;
  timer: Timer;
}

const socketFor = (address: string): Socket => createSocket(familyOf(address) === 'IPv6' ? 'udp6' : 'udp4');

/** @throws the system's error when the address cannot be bound: EADDRNOTAVAIL, EADDRINUSE, EACCES. */
export async function listenUdp(first: Front, context: ListenerContext): Promise<Listener> {
  const { clock, random } = context;
  let front = first;
  const balancer = newBalancer(first, clock, random);
  /** By client. Invariant: in order of their beginning, each with a running timer. */
  const flows = new Map<string, Flow>();
  const server = socketFor(front.address);

  const end = (client: string, flow: Flow): void => {
    if (flows.get(client) !== flow) return;
    flows.delete(client);
    flow.timer.cancel();
    flow.socket.close();
  };
  const renew = (client: string, flow: Flow): void => {
    flow.timer.cancel();
    flow.timer = clock.after(IDLE_MS, () => end(client, flow), { background: true });
  };
  const begin = (client: string, address: string, port: number): Flow | undefined => {
    const [endpoint] = balancer.order(address);
    if (endpoint === undefined) return undefined;
    balancer.stick(address, endpoint);
    const socket = socketFor(endpoint.ip);
    const flow: Flow = {
      socket,
      endpoint: hostPort(endpoint.ip, endpoint.port),
      ready: once(socket, 'connect').catch(() => undefined), // The 'error' below ends the flow.
      timer: clock.after(IDLE_MS, () => end(client, flow), { background: true }),
    };
    socket.on('error', () => end(client, flow)); // Refused by the endpoint: the client's next packet may reach another.
    socket.on('message', (answer) => {
      renew(client, flow);
      server.send(answer, port, address);
    });
    socket.connect(endpoint.port, endpoint.ip);
    flows.set(client, flow);
    const [oldest] = flows;
    if (flows.size > CLIENTS_MAX && oldest !== undefined) end(...oldest);
    return flow;
  };

  server.on('message', (packet, { address, port }) => {
    if (!admits(front, address)) return;
    const client = hostPort(address, port);
    const flow = flows.get(client) ?? begin(client, address, port);
    if (flow === undefined) return;
    renew(client, flow);
    void flow.ready.then(() => flows.get(client) === flow && flow.socket.send(packet));
  });
  server.bind({ address: front.address, port: front.port, exclusive: true });
  await once(server, 'listening'); // Rejects with an 'error'.
  server.on('error', () => undefined); // One answer that could not be sent: UDP promises none.
  return {
    update(next) {
      front = next;
      balancer.update(next);
      const known = new Set(next.endpoints.map(({ ip, port }) => hostPort(ip, port)));
      for (const [client, flow] of [...flows]) if (!known.has(flow.endpoint)) end(client, flow);
    },
    async close() {
      for (const [client, flow] of [...flows]) end(client, flow);
      server.close();
      await once(server, 'close');
    },
  };
}
