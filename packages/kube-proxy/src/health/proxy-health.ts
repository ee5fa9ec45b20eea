import type { Server } from 'node:http';
import type { Clock } from '@orrery/base';
import { closeServer, listen } from './listening.ts';

/** What waits longer than this to be programmed says that the proxy is stuck. Source: upstream's default of twice the sync period. */
const STUCK_MS = 60_000;
/** A node with this taint is about to be removed: balancers shall send no new connections. */
const TO_BE_DELETED_TAINT = 'ToBeDeletedByClusterAutoscaler';

/** Whether this proxy does its work. */
export interface ProxyHealth {
  /** Something waits to be programmed. */
  queued(): void;
  /** Everything that waited is programmed. */
  updated(): void;
  isHealthy(): boolean;
}

export function newProxyHealth(clock: Clock): ProxyHealth & { readonly lastUpdated: number } {
  let queuedSince: number | undefined;
  let lastUpdated = 0;
  return {
    get lastUpdated() {
      return lastUpdated;
    },
    queued() {
      queuedSince ??= clock.monotonicMs();
    },
    updated() {
      queuedSince = undefined;
      lastUpdated = clock.now();
    },
    isHealthy: () => lastUpdated !== 0 && (queuedSince === undefined || clock.monotonicMs() - queuedSince < STUCK_MS),
  };
}

export interface HealthzOptions {
  readonly bind: { readonly host: string; readonly port: number };
  readonly clock: Clock;
  readonly health: ReturnType<typeof newProxyHealth>;
  /** The node's taints and deletion: one that goes is not eligible. */
  node(): { readonly isDeleting: boolean; readonly taints: readonly string[] };
}

/** `/healthz` for balancers (not when the node is to go), `/livez` for those who would restart the proxy. Source: KEP-3836. */
export async function serveHealthz({ bind, clock, health, node }: HealthzOptions): Promise<AsyncDisposable & { readonly server: Server }> {
  const server = await listen(bind.port, bind.host, (request, response) => {
    const { isDeleting, taints } = node();
    const nodeEligible = !isDeleting && !taints.includes(TO_BE_DELETED_TAINT);
    const path = (request.url ?? '').split('?')[0];
    if (path !== '/healthz' && path !== '/livez') {
      response.writeHead(404).end('404 page not found\n');
      return;
    }
    const isHealthy = health.isHealthy() && (path === '/livez' || nodeEligible);
    const currentTime = new Date(clock.now()).toISOString();
    const lastUpdated = health.isHealthy() ? currentTime : new Date(health.lastUpdated).toISOString();
    response.writeHead(isHealthy ? 200 : 503, { 'Content-Type': 'application/json', 'X-Content-Type-Options': 'nosniff' });
    response.end(JSON.stringify({ lastUpdated, currentTime, ...(path === '/healthz' ? { nodeEligible } : {}) }));
  });
  return { server, [Symbol.asyncDispose]: () => closeServer(server) };
}
