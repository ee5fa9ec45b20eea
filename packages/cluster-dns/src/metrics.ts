import type { MetricsRegistry } from '@orrery/component';

/** What dashboards for CoreDNS look at. */
export interface DnsMetrics {
  /** @param code - The response code. */
  responded(code: number): void;
}

const names: Readonly<Record<number, string>> = {
  0: 'NOERROR',
  1: 'FORMERR',
  2: 'SERVFAIL',
  3: 'NXDOMAIN',
  4: 'NOTIMP',
  5: 'REFUSED',
  16: 'BADVERS',
};

/** Registers `coredns_dns_responses_total`. Once per registry. */
export function newDnsMetrics(registry: MetricsRegistry): DnsMetrics {
  const responses = registry.counter({
    name: 'coredns_dns_responses_total',
    help: 'Counter of response status codes.',
    labels: ['rcode'],
  });
  return { responded: (code) => responses.inc([names[code] ?? String(code)]) };
}
