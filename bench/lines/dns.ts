import { dnsLatency } from '@orrery/cluster-dns/bench';
import type { Line } from '../line.ts';

const PER_SECOND = 5000;

export const dnsLine: Line = {
  name: 'dns',
  what: `cluster DNS at ${PER_SECOND} queries/s on loopback`,
  method:
    '1,000 Services; three of four names are not there, as search paths ask; client and server share one thread, so the client counts too',
  figures: [
    { name: 'answer', unit: 'ms' },
    { name: 'answer, 99th percentile', unit: 'ms' },
    { name: 'not answered', unit: 'of 100' },
  ],
  runs: { full: 3, quick: 1 },
  timeoutMs: 30_000,
  async measure({ quick }) {
    const seconds = quick ? 2 : 4;
    await dnsLatency({ queriesPerSecond: PER_SECOND, seconds: 1 }); // Compiled, as a server that has run for a while.
    const { p50Ms, p99Ms, lost } = await dnsLatency({ queriesPerSecond: PER_SECOND, seconds });
    return { answer: [p50Ms], 'answer, 99th percentile': [p99Ms], 'not answered': [(lost * 100) / (PER_SECOND * seconds)] };
  },
};
