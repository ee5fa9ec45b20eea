import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '@orrery/base';
import type { Logger } from '@orrery/component';
import type { Runtime } from '@orrery/cri';
import type { Machine } from '../node/machine.ts';
import type { NodeAgent } from '../node/node-agent.ts';
import { messageOf } from '../runtime/errors.ts';
import type { StatusWriter } from '../status/status-writer.ts';
import type { PodWorkers } from '../worker/pod-workers.ts';
import { openContainerLogs } from './container-logs.ts';
import { HttpError } from './http-error.ts';
import { parseUrl } from './request-url.ts';
import { containerMetrics, resourceMetrics, summary } from './stats-summary.ts';
import { newStreamingHandler } from './streaming.ts';

export interface ServerOptions {
  /** Address to listen on. */
  readonly host: string;
  /** 0: any that is free. Upstream's is 10250. */
  readonly port: number;
  /** PEM, of this server. */
  readonly key: string;
  readonly cert: string;
  /** PEM. Clients need a certificate of this authority in the group `system:masters`: they may run commands in every container. */
  readonly clientCa: string;
}

export interface ServerDeps extends ServerOptions {
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly log: Logger;
  readonly workers: PodWorkers;
  readonly statuses: StatusWriter;
  readonly agent: NodeAgent;
  readonly machine: Machine;
  /** The kubelet's own: its file system is the node's. */
  readonly rootDirectory: string;
}

/** Serves the API server: logs, exec, attach, port-forward, pods, statistics. */
export interface KubeletServer {
  /** Resolves with the port. */
  listen(): Promise<number>;
  /** Ends every connection. */
  close(): Promise<void>;
}

/** The whole cluster shares one authority: a node's certificate, say, gives no right to enter other nodes' containers. */
function isAllowed({ socket }: IncomingMessage): boolean {
  const { O: organizations = [] } = (socket as TLSSocket).getPeerCertificate().subject ?? {};
  return [organizations].flat().includes('system:masters');
}

export function newKubeletServer(deps: ServerDeps): KubeletServer {
  const { runtime, log, workers, statuses, agent, machine } = deps;
  const sockets = new Set<Duplex>();
  const streaming = newStreamingHandler(deps);

  async function containerLogs(path: readonly string[], query: URLSearchParams, response: ServerResponse): Promise<void> {
    const source = await openContainerLogs(deps, path, query);
    const stop = new AbortController();
    response.on('close', () => stop.abort());
    response.writeHead(200, { 'content-type': 'text/plain', 'transfer-encoding': 'chunked' });
    response.flushHeaders();
    const write = (chunk: Buffer): Promise<void> =>
      new Promise((resolve) => {
        if (response.destroyed || response.write(chunk)) resolve();
        else response.once('drain', resolve).once('close', resolve);
      });
    await source(write, stop.signal);
    response.end();
  }

  function json(response: ServerResponse, body: object): void {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  }

  function podList(): object {
    const items = workers.list().map((pod) => ({ ...pod, status: statuses.get(pod.metadata.uid) ?? pod.status }));
    return { kind: 'PodList', apiVersion: 'v1', metadata: {}, items };
  }

  function metrics(response: ServerResponse): void {
    const running = workers.list().length;
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' });
    response.end(
      '# HELP kubelet_running_pods Number of pods that have a worker\n# TYPE kubelet_running_pods gauge\n' +
        `kubelet_running_pods ${running}\n# HELP kubelet_node_name The node's name. The count is always 1.\n# TYPE kubelet_node_name gauge\n` +
        `kubelet_node_name{node="${agent.node?.metadata.name ?? ''}"} 1\n`,
    );
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!isAllowed(request)) throw new HttpError(403, 'Forbidden');
    const { parts, query } = parseUrl(request);
    const [first = '', ...rest] = parts;
    if (first === 'exec' || first === 'attach' || first === 'portForward') throw new HttpError(400, 'Upgrade request required');
    if (request.method !== 'GET' && request.method !== 'HEAD') throw new HttpError(405, 'method not allowed');
    if (first === 'containerLogs' && rest.length === 3) return await containerLogs(rest, query, response);
    if (first === 'healthz' || first === 'livez' || first === 'readyz') return void response.end('ok');
    if (first === 'pods' && rest.length === 0) return json(response, podList());
    if (first === 'stats' && rest[0] === 'summary') return json(response, await summary(deps));
    if (first === 'metrics' && rest.length === 0) return metrics(response);
    if (first === 'metrics' && rest[0] === 'resource') {
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' });
      return void response.end(await resourceMetrics({ runtime, machine }));
    }
    if (first === 'metrics' && rest[0] === 'cadvisor') {
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' });
      return void response.end(await containerMetrics(runtime));
    }
    throw new HttpError(404, '404 page not found');
  }

  function fail(err: unknown, response: ServerResponse): void {
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const status = err instanceof HttpError ? err.status : 500;
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
    response.end(`${messageOf(err)}\n`);
  }

  const server: Server = createServer(
    { key: deps.key, cert: deps.cert, ca: deps.clientCa, requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.2' },
    (request, response) => {
      serve(request, response).catch((err: unknown) => {
        if (!(err instanceof HttpError)) log.warn('serving a request failed', { url: request.url, error: messageOf(err) });
        fail(err, response);
      });
    },
  );
  server.on('secureConnection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy()); // A client that breaks off.
  });
  server.on('upgrade', (request, socket, head) => {
    if (isAllowed(request)) streaming.upgrade(request, socket, head);
    else socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
  });

  return {
    listen: () =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(deps.port, deps.host, () => resolve((server.address() as AddressInfo).port));
      }),
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
