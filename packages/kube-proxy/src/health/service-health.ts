import type { Server, ServerResponse } from 'node:http';
import type { Service } from '@orrery/api/core/v1';
import type { EventRecorder } from '@orrery/client';
import type { Logger } from '@orrery/component';
import type { ProxyPort } from '../model/service-port.ts';
import { closeServer, listen } from './listening.ts';

/** A Service with a health-check port, as one node sees it. */
interface Checked {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
  /** Endpoints on this node. */
  localEndpoints: number;
  server: Server | undefined;
}

/** Answers load balancers, on a port of each Service under externalTrafficPolicy Local, whether this node has endpoints of it. */
export interface ServiceHealth {
  /** @param service - undefined: it is gone. */
  update(key: string, service: Service | undefined, ports: readonly ProxyPort[]): Promise<void>;
  close(): Promise<void>;
}

export interface ServiceHealthOptions {
  readonly nodeName: string;
  readonly log: Logger;
  readonly events: EventRecorder | undefined;
  isProxyHealthy(): boolean;
}

export function newServiceHealth({ nodeName, log, events, isProxyHealthy }: ServiceHealthOptions): ServiceHealth {
  const checked = new Map<string, Checked>();

  const end = async (key: string): Promise<void> => {
    const server = checked.get(key)?.server;
    checked.delete(key);
    if (server !== undefined) await closeServer(server);
  };
  const begin = async (key: string, service: Service, port: number): Promise<Checked> => {
    const { namespace = '', name } = service.metadata;
    const entry: Checked = { namespace, name, port, localEndpoints: 0, server: undefined };
    checked.set(key, entry);
    try {
      entry.server = await listen(port, undefined, (_request, response) => answer(response, entry, isProxyHealthy()));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const message = `node ${nodeName} failed to start healthcheck "${key}" on port ${port}: ${reason}`;
      log.warn('cannot answer health checks of a Service', { service: key, port, error: reason });
      events?.event(service, 'Warning', 'FailedToStartServiceHealthcheck', message);
    }
    return entry;
  };

  return {
    async update(key, service, ports) {
      const port = service !== undefined && ports.length > 0 ? (service.spec.healthCheckNodePort ?? 0) : 0;
      if (checked.get(key) !== undefined && checked.get(key)?.port !== port) await end(key);
      if (service === undefined || port === 0) return;
      const entry = checked.get(key) ?? (await begin(key, service, port));
      const addresses = ports.flatMap(({ endpoints }) => endpoints.local.filter(({ ready }) => ready).map(({ ip }) => ip));
      entry.localEndpoints = new Set(addresses).size;
    },
    async close() {
      for (const key of [...checked.keys()]) await end(key);
    },
  };
}

/** Source: the proxy's health-check server: balancers read the code, some the weight. */
function answer(response: ServerResponse, { namespace, name, localEndpoints }: Checked, serviceProxyHealthy: boolean): void {
  const isServing = localEndpoints > 0 && serviceProxyHealthy;
  response.writeHead(isServing ? 200 : 503, {
    'Content-Type': 'application/json',
    'X-Content-Type-Options': 'nosniff',
    'X-Load-Balancing-Endpoint-Weight': `${localEndpoints}`,
  });
  response.end(JSON.stringify({ service: { namespace, name }, localEndpoints, serviceProxyHealthy }, undefined, '\t'));
}
