import { createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '@orrery/base';
import type { Transport } from '@orrery/client';
import { LaunchProblem } from '../options/settings.ts';
import { type PodTarget, type Tunnelled, tunnelTo } from './tunnel.ts';

/** A pod, and the way to its cluster where there are several. */
export interface ForwardTarget extends PodTarget {
  /** @default that of the options */
  readonly transport?: Transport;
}

export interface PortForwardOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  /** The pods that are ready now. Asked for each connection. */
  readonly pods: () => readonly ForwardTarget[];
  /** Port on this machine; 0 takes any free one. */
  readonly local: number;
  /** Port in the pod. */
  readonly remote: number;
  /** @default '127.0.0.1' */
  readonly host?: string;
  /** Hears of connections that could not be carried. @default nobody */
  readonly onProblem?: (message: string) => void;
}

export interface PortForward {
  readonly port: number;
  /** Ends every connection. */
  close(): Promise<void>;
}

/** How long a connection waits for a pod that is ready: a pod is replaced in less. */
const WAIT_MS = 10_000;
const POLL_MS = 100;
/** Pods that one connection tries before it is given up. */
const ATTEMPTS_MAX = 3;

/**
 * Listens on this machine and carries each connection to the next ready pod in turn, so that pods may come and go. Rejects with
 * {@link LaunchProblem} when the port cannot be had.
 */
export async function newPortForward(options: PortForwardOptions): Promise<PortForward> {
  const { clock, pods, onProblem } = options;
  const stop = new AbortController();
  const open = new Set<Socket>();
  let turn = 0;

  async function nextPod(tried: ReadonlySet<string>, lost: ReadonlySet<Transport>, socket: Socket): Promise<ForwardTarget> {
    const deadlineMs = clock.monotonicMs() + WAIT_MS;
    for (;;) {
      const ready = pods();
      const fresh = ready.filter(({ namespace, name }) => !tried.has(`${namespace}/${name}`));
      const near = fresh.filter((pod) => !lost.has(pod.transport ?? options.transport));
      const choice = near.length > 0 ? near : fresh.length > 0 ? fresh : ready;
      const target = choice[turn % Math.max(1, choice.length)];
      turn += 1;
      if (target !== undefined) return target;
      if (clock.monotonicMs() >= deadlineMs || socket.destroyed) throw new LaunchProblem('no pod is ready');
      await clock.sleep(POLL_MS, stop.signal);
    }
  }

  async function carry(socket: Socket): Promise<void> {
    const tried = new Set<string>();
    const lost = new Set<Transport>(); // Clusters that could not be reached: the pods of others come first.
    for (let attempt = 1; ; attempt += 1) {
      const target = await nextPod(tried, lost, socket);
      tried.add(`${target.namespace}/${target.name}`);
      const transport = target.transport ?? options.transport;
      const { carried, problem }: Tunnelled = await tunnelTo(target, { ...options, transport }, socket, stop.signal);
      if (problem === undefined) return;
      // Nothing of the connection has been sent yet: another pod may take all of it.
      lost.add(transport);
      if (carried || attempt >= ATTEMPTS_MAX || stop.signal.aborted) throw problem;
    }
  }

  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => {
    open.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy()); // The tunnel sees its end.
    socket.once('close', () => open.delete(socket));
    carry(socket)
      .catch((error: unknown) => {
        if (!stop.signal.aborted && !socket.destroyed) onProblem?.(error instanceof Error ? error.message : String(error));
      })
      .finally(() => socket.destroy());
  });
  const port = await listen(server, options);
  return {
    port,
    async close() {
      stop.abort();
      for (const socket of open) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function listen(server: Server, { local, host = '127.0.0.1' }: PortForwardOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EADDRINUSE' ? 'it is in use' : cause.code === 'EACCES' ? 'it is not allowed' : cause.message;
      reject(new LaunchProblem(`cannot listen on ${host}:${local}: ${why}`, { cause }));
    });
    server.listen(local, host, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : local);
    });
  });
}
