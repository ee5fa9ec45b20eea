import type { Line } from '../line.ts';
import { orreryUp, useOf } from '../support/orrery-up.ts';

export const upLine: Line = {
  name: 'up',
  what: '`orrery up` on an empty disk until the API is ready',
  method:
    'from the start of the process to the first 200 of /readyz, asked over HTTPS every 2 ms from when it listens; bundle, LMDB, new certificates',
  figures: [
    { name: 'ready', unit: 'ms', reach: { atMost: 500 } },
    { name: 'CPU until ready', unit: 'ms' },
  ],
  runs: { full: 9, quick: 3 },
  timeoutMs: 40_000,
  async measure({ directory, signal }) {
    await using orrery = await orreryUp(directory, signal);
    return { ready: [orrery.readyMs], 'CPU until ready': [(await useOf(orrery.pid)).cpuMs] };
  },
};
