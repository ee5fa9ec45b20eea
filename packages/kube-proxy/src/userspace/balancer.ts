import type { Clock, Random } from '@orrery/base';
import { hostPort } from '../model/addresses.ts';
import type { ProxyEndpoint } from '../model/endpoint.ts';
import type { Front } from './front.ts';

/** Clients whose endpoint is remembered; the oldest make room. */
const CLIENTS_MAX = 10_000;

/** Chooses endpoints in turn, and the same one for a client of a Service with affinity. */
export interface Balancer {
  /** In the order in which to try them. */
  order(client: string): readonly ProxyEndpoint[];
  /** `client` was connected to `endpoint`. */
  stick(client: string, endpoint: ProxyEndpoint): void;
  update(front: Front): void;
}

export function newBalancer(first: Front, clock: Clock, random: Random): Balancer {
  let front = first;
  let turn = random.integer(front.endpoints.length);
  const clients = new Map<string, { readonly endpoint: string; readonly untilMs: number }>();
  const idOf = ({ ip, port }: ProxyEndpoint): string => hostPort(ip, port);
  return {
    order(client) {
      const { endpoints } = front;
      const start = turn++ % endpoints.length;
      const rotated = [...endpoints.slice(start), ...endpoints.slice(0, start)];
      const known = clients.get(client);
      if (front.affinitySeconds === undefined || known === undefined || known.untilMs <= clock.monotonicMs()) return rotated;
      const own = rotated.filter((endpoint) => idOf(endpoint) === known.endpoint);
      return [...own, ...rotated.filter((endpoint) => idOf(endpoint) !== known.endpoint)];
    },
    stick(client, endpoint) {
      if (front.affinitySeconds === undefined) return;
      clients.delete(client);
      clients.set(client, { endpoint: idOf(endpoint), untilMs: clock.monotonicMs() + front.affinitySeconds * 1000 });
      const [oldest] = clients.keys();
      if (clients.size > CLIENTS_MAX && oldest !== undefined) clients.delete(oldest);
    },
    update(next) {
      front = next;
    },
  };
}
