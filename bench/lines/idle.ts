import type { Line } from '../line.ts';
import { orreryUp, useOf } from '../support/orrery-up.ts';
import { nowMs, sleep } from '../support/timing.ts';

const SETTLE_MS = 10_000;

export const idleLine: Line = {
  name: 'idle',
  what: 'a whole cluster that nobody uses: `orrery up` with its node',
  method: `VmRSS and CPU time by /proc, over 20 s (quick: 5 s) that begin ${SETTLE_MS / 1000} s after it was ready`,
  figures: [
    { name: 'memory', unit: 'MB', reach: { atMost: 120 } },
    { name: 'CPU', unit: '% of a core', reach: { atMost: 1 } },
  ],
  runs: { full: 1, quick: 1 },
  timeoutMs: 60_000,
  async measure({ directory, signal, quick }) {
    await using orrery = await orreryUp(directory, signal);
    await sleep(SETTLE_MS);
    const [before, startMs] = [await useOf(orrery.pid), nowMs()];
    await sleep(quick ? 5000 : 20_000);
    const [after, endMs] = [await useOf(orrery.pid), nowMs()];
    return { memory: [after.rssBytes / 1e6], CPU: [((after.cpuMs - before.cpuMs) / (endMs - startMs)) * 100] };
  },
};
