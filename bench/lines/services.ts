import { realClock } from '@orrery/base';
import { newClient, newInformerFactory } from '@orrery/client';
import { programServices } from '@orrery/kube-proxy/bench';
import { startCluster } from '@orrery/testkit';
import type { Line } from '../line.ts';

const SERVICES = 1000;

export const servicesLine: Line = {
  name: 'services',
  what: `${SERVICES} Services in nftables`,
  method:
    'two endpoints each, in a network namespace of its own (needs root); all at once, then one EndpointSlice after the other, from its write until the kernel has it',
  figures: [
    { name: 'all, as one transaction', unit: 'ms' },
    { name: 'one change', unit: 'ms' },
    { name: 'one change, 99th percentile', unit: 'ms', percentile: 0.99 },
  ],
  runs: { full: 1, quick: 1 },
  timeoutMs: 60_000,
  async measure({ quick }) {
    const cluster = await startCluster({ controllers: false, scheduler: false });
    try {
      const { client } = cluster;
      const informers = newInformerFactory(newClient(client.transport), { clock: realClock });
      const stop = new AbortController();
      const running = informers.run(stop.signal);
      const { loadMs, changeMs } = await programServices({
        client,
        informers,
        clock: realClock,
        netns: `orrery-bench-${process.pid}`,
        services: SERVICES,
        changes: quick ? 20 : 50,
      });
      stop.abort();
      await running;
      return { 'all, as one transaction': [loadMs], 'one change': changeMs, 'one change, 99th percentile': changeMs };
    } finally {
      await cluster[Symbol.asyncDispose]();
    }
  },
};
