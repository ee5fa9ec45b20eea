import type { Socket as UdpSocket } from 'node:dgram';
import type { Server, Socket } from 'node:net';
import { type Deferred, deferred } from '@orrery/base';

/** Asks for a socket of the machine. */
export interface SocketRequest {
  readonly id: number;
  readonly op: 'listen' | 'listen-udp';
  readonly host: string;
  readonly port: number;
}

/** What a process in namespaces asks of the one on the machine that watches over it. */
export type HostRequest =
  | SocketRequest
  /** The node's containers may run from now on; they have all been ended. */
  | { readonly op: 'opened' | 'ended' };

export interface HostAnswer {
  readonly id: number;
  /** What the system says when it could not be done. */
  readonly error?: { readonly message: string; readonly code: string };
}

/** Sockets of the machine's own network, for a process that lives in another. */
export interface HostLink {
  /** @throws the system's error: EADDRINUSE, EACCES, EADDRNOTAVAIL. */
  listen(host: string, port: number): Promise<Server>;
  listenUdp(host: string, port: number): Promise<UdpSocket>;
  tell(what: 'opened' | 'ended'): Promise<void>;
  /** Lets go of the supervisor, so that this process can end. */
  close(): void;
}

type Handle = Server | UdpSocket | Socket;

/** The link of this process to its supervisor; undefined when it has none. A supervisor's end is this process's, at once: pods stay. */
export function openHostLink(): HostLink | undefined {
  if (process.send === undefined) return undefined;
  const send = process.send.bind(process) as (message: HostRequest, done?: () => void) => boolean;
  const waiting = new Map<number, Deferred<Handle>>();
  let last = 0;
  process.on('message', ({ id, error }: HostAnswer, handle: unknown) => {
    const asked = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) asked?.resolve(handle as Handle);
    else asked?.reject(Object.assign(new Error(error.message), { code: error.code }));
  });
  const onDisconnect = (): void => void process.kill(process.pid, 'SIGKILL');
  process.once('disconnect', onDisconnect);
  const ask = <T extends Handle>(op: 'listen' | 'listen-udp', host: string, port: number): Promise<T> => {
    const id = ++last;
    const answer = deferred<Handle>();
    waiting.set(id, answer);
    send({ id, op, host, port });
    return answer.promise as Promise<T>;
  };
  return {
    listen: (host, port) => ask<Server>('listen', host, port),
    listenUdp: (host, port) => ask<UdpSocket>('listen-udp', host, port),
    tell: (op) =>
      new Promise((resolve) => {
        send({ op }, resolve);
      }),
    close() {
      process.off('disconnect', onDisconnect);
      if (process.connected) process.disconnect();
    },
  };
}
