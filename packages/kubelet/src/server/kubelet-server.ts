import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '@orrery/base';
import type { Client } from '@orrery/client';
import type { Logger } from '@orrery/component';
import type { Runtime } from '@orrery/cri';
import type { KubeletConfig } from '../config.ts';
import type { Machine } from '../node/machine.ts';
import type { NodeAgent } from '../node/node-agent.ts';
import type { ProbeSet } from '../probe/probe-set.ts';
import { messageOf } from '../runtime/errors.ts';
import type { StatusWriter } from '../status/status-writer.ts';
import type { PodWorkers } from '../worker/pod-workers.ts';
import { configz } from './configz.ts';
import { openContainerLogs } from './container-logs.ts';
import { HttpError } from './http-error.ts';
import { serveNodeLogs } from './node-logs.ts';
import { newRequestGate } from './request-gate.ts';
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
  /** PEM. Who has a certificate of this authority is whom it names; others bring a token that the API server knows. */
  readonly clientCa: string;
}

export interface ServerDeps extends ServerOptions {
  /** Asked about tokens and rights. */
  readonly client: Pick<Client, 'create'>;
  readonly nodeName: string;
  readonly config: KubeletConfig;
  readonly probes: Pick<ProbeSet, 'metrics'>;
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

const NODE_LOGS = '/var/log';

/** Serves the API server: logs, exec, attach, port-forward, pods, statistics. */
export interface KubeletServer {
  /** Resolves with the port. */
  listen(): Promise<number>;
  /** Ends every connection. */
  close(): Promise<void>;
}

export function newKubeletServer(deps: ServerDeps): KubeletServer {
  const { runtime, log, workers, statuses, agent, machine } = deps;
  const sockets = new Set<Duplex>();
  const streaming = newStreamingHandler(deps);
  const gate = newRequestGate(deps);

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

  function metricsText(response: ServerResponse, text: string): void {
    response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' });
    response.end(text);
  }

  function metrics(response: ServerResponse): void {
    const running = workers.list().length;
    metricsText(
      response,
      '# HELP kubelet_running_pods Number of pods that have a worker\n# TYPE kubelet_running_pods gauge\n' +
        `kubelet_running_pods ${running}\n# HELP kubelet_node_name The node's name. The count is always 1.\n# TYPE kubelet_node_name gauge\n` +
        `kubelet_node_name{node="${agent.node?.metadata.name ?? ''}"} 1\n`,
    );
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    await gate.admit(request);
    const { parts, query } = parseUrl(request);
    const [first = '', ...rest] = parts;
    if (first === 'exec' || first === 'attach' || first === 'portForward') throw new HttpError(400, 'Upgrade request required');
    if (request.method !== 'GET' && request.method !== 'HEAD') throw new HttpError(405, 'method not allowed');
    if (first === 'containerLogs' && rest.length === 3) return await containerLogs(rest, query, response);
    if (first === 'healthz' || first === 'livez' || first === 'readyz') return void response.end('ok');
    if (first === 'pods' && rest.length === 0) return json(response, podList());
    if (first === 'stats' && rest[0] === 'summary') return json(response, await summary(deps));
    if (first === 'configz' && rest.length === 0) return json(response, configz(deps.config));
    if (first === 'logs') return await serveNodeLogs(NODE_LOGS, rest, response);
    if (first === 'metrics' && rest.length === 0) return metrics(response);
    if (first === 'metrics' && rest[0] === 'probes') return metricsText(response, deps.probes.metrics());
    if (first === 'metrics' && rest[0] === 'resource') return metricsText(response, await resourceMetrics({ runtime, machine }));
    if (first === 'metrics' && rest[0] === 'cadvisor') return metricsText(response, await containerMetrics(runtime));
    throw new HttpError(404, '404 page not found');
  }

  function fail(err: unknown, response: ServerResponse): void {
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const status = err instanceof HttpError ? err.status : 500;
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
    response.end(`${messageOf(err).trimEnd()}\n`);
  }

  const server: Server = createServer(
    { key: deps.key, cert: deps.cert, ca: deps.clientCa, requestCert: true, rejectUnauthorized: false, minVersion: 'TLSv1.2' },
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
    streaming.upgrade(request, socket, head, gate.admit(request));
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
