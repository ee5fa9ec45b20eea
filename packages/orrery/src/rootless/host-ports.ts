import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { connect, type Server } from 'node:net';
import { pods, services } from '@orrery/api';
import type { Pod, Service } from '@orrery/api/core/v1';
import { aborted, type Clock, type Timer } from '@orrery/base';
import type { InformerFactory } from '@orrery/client';
import type { Logger } from '@orrery/component';
import type { HostLink } from './host-link.ts';

/** Ports of the machine that lead into the namespaces, as `TCP/30080`. */
type PortKey = `${'TCP' | 'UDP'}/${number}`;

export interface HostPortsOptions {
  readonly link: HostLink;
  readonly informers: InformerFactory;
  readonly clock: Clock;
  readonly log: Logger;
  /** Address of the machine to listen on. */
  readonly host: string;
  /** Ports that are taken already. */
  readonly except: readonly number[];
}

/** Opens node ports, the ports of load balancers and host ports on the machine, for as long as something in the API asks for them. */
export function newHostPorts({ link, informers, clock, log, host, except }: HostPortsOptions): { run(signal: AbortSignal): Promise<void> } {
  const [serviceInformer, podInformer] = [informers.informer(services), informers.informer(pods)];
  const open = new Map<PortKey, Promise<{ close(): void } | undefined>>();

  const openOne = async (key: PortKey): Promise<{ close(): void } | undefined> => {
    const [protocol, port] = [key.slice(0, 3), Number(key.slice(4))];
    try {
      if (protocol === 'UDP') return carryUdp(await link.listenUdp(host, port), port, clock);
      return carryTcp(await link.listen(host, port), port);
    } catch (error) {
      log.warn('a port of this machine cannot be opened: what it leads to is reached by kubectl port-forward', { port: key, error });
      return undefined;
    }
  };
  const sync = (): void => {
    const wanted = wantedPorts(serviceInformer.lister.list(), podInformer.lister.list());
    for (const port of except) wanted.delete(`TCP/${port}`);
    for (const [key, opened] of open) {
      if (wanted.has(key)) continue;
      open.delete(key);
      void opened.then((it) => it?.close());
    }
    for (const key of wanted) if (!open.has(key)) open.set(key, openOne(key));
  };
  return {
    async run(signal) {
      const handler = { onAdd: sync, onUpdate: sync, onDelete: sync };
      const handles = [serviceInformer.addHandler(handler), podInformer.addHandler(handler)];
      await aborted(signal);
      for (const handle of handles) handle.remove();
      for (const opened of open.values()) (await opened)?.close();
      open.clear();
    },
  };
}

/** Exported for tests. */
export function wantedPorts(allServices: readonly Service[], allPods: readonly Pod[]): Set<PortKey> {
  const wanted = new Set<PortKey>();
  const add = (protocol: string | undefined, port: number | undefined): void => {
    if (port !== undefined && port > 0 && (protocol ?? 'TCP') !== 'SCTP') wanted.add(`${protocol === 'UDP' ? 'UDP' : 'TCP'}/${port}`);
  };
  for (const { spec } of allServices) for (const { protocol, nodePort } of spec?.ports ?? []) add(protocol, nodePort);
  for (const { spec, status } of allPods) {
    if (spec?.nodeName === undefined || status?.phase === 'Succeeded' || status?.phase === 'Failed') continue;
    for (const { ports = [] } of spec.containers) for (const { protocol, hostPort } of ports) add(protocol, hostPort);
  }
  return wanted;
}

const LOOPBACK = '127.0.0.1';

/** Carries every connection of a server of the machine to the same port in this process's network. */
export function carryTcp(server: Server, port: number): { close(): void } {
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (client) => {
    const inner = connect({ host: LOOPBACK, port, noDelay: true, allowHalfOpen: true });
    client.allowHalfOpen = true;
    client.setNoDelay(true);
    for (const [one, other] of [
      [client, inner],
      [inner, client],
    ] as const) {
      sockets.add(one);
      one.on('error', () => one.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
    client.pipe(inner).pipe(client);
  });
  return {
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

const UDP_IDLE_MS = 60_000;

function carryUdp(socket: UdpSocket, port: number, clock: Clock): { close(): void } {
  const flows = new Map<string, { readonly inner: UdpSocket; timer: Timer }>();
  const end = (client: string): void => {
    const flow = flows.get(client);
    flows.delete(client);
    flow?.timer.cancel();
    flow?.inner.close();
  };
  const later = (client: string): Timer => clock.after(UDP_IDLE_MS, () => end(client), { background: true });
  socket.on('error', () => undefined); // One answer that could not be sent: UDP promises none.
  socket.on('message', (packet, from) => {
    const client = `${from.address} ${from.port}`;
    const known = flows.get(client);
    const flow = known ?? { inner: createSocket('udp4'), timer: later(client) };
    if (known === undefined) {
      flows.set(client, flow);
      flow.inner.on('error', () => end(client));
      flow.inner.on('message', (reply) => socket.send(reply, from.port, from.address));
    }
    flow.timer.cancel();
    flow.timer = later(client);
    flow.inner.send(packet, port, LOOPBACK);
  });
  return {
    close() {
      for (const client of [...flows.keys()]) end(client);
      socket.close();
    },
  };
}
