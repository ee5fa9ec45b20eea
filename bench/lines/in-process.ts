import { startCluster } from '@orrery/testkit';
import type { Line } from '../line.ts';
import { nowMs } from '../support/timing.ts';

const FURTHER = 10;

export const inProcessLine: Line = {
  name: 'in-process',
  what: 'a cluster inside a test process: API server, controllers, scheduler',
  method: `startCluster() of @orrery/testkit in a new process, without the import; then ${FURTHER} further ones beside it`,
  figures: [
    { name: 'first', unit: 'ms', reach: { atMost: 50 } },
    { name: 'each further one', unit: 'ms', reach: { atMost: 15 } },
    { name: 'end of one', unit: 'ms' },
  ],
  runs: { full: 7, quick: 3 },
  timeoutMs: 30_000,
  async measure() {
    const starts: number[] = [];
    const clusters: AsyncDisposable[] = [];
    for (let index = 0; index <= FURTHER; index += 1) {
      const startMs = nowMs();
      clusters.push(await startCluster());
      starts.push(nowMs() - startMs);
    }
    const ends: number[] = [];
    for (const cluster of clusters) {
      const startMs = nowMs();
      await cluster[Symbol.asyncDispose]();
      ends.push(nowMs() - startMs);
    }
    return { first: starts.slice(0, 1), 'each further one': starts.slice(1), 'end of one': ends };
  },
};
