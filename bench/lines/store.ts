import { durableWrites, openEmptyMs, rangeMs } from '@orrery/storage/bench';
import type { Line } from '../line.ts';

export const storeLine: Line = {
  name: 'store',
  what: 'the durable store alone',
  method: 'LMDB, values of 1 KB; a write counts when it is synced; 2 s each',
  figures: [
    { name: 'writes, 64 in flight', unit: '/s' },
    { name: 'writes, 1 in flight', unit: '/s' },
    { name: 'range of 10,000, newest', unit: 'ms' },
    { name: 'range of 10,000, an old revision', unit: 'ms' },
    { name: 'open, empty disk', unit: 'ms' },
  ],
  runs: { full: 3, quick: 1 },
  timeoutMs: 60_000,
  async measure({ quick }) {
    const open = await openEmptyMs();
    const seconds = quick ? 1 : 2;
    const range = await rangeMs({ entries: 10_000, rounds: 9 });
    return {
      'open, empty disk': [open],
      'writes, 64 in flight': [await durableWrites({ inFlight: 64, seconds })],
      'writes, 1 in flight': [await durableWrites({ inFlight: 1, seconds })],
      'range of 10,000, newest': [range.newest],
      'range of 10,000, an old revision': [range.old],
    };
  },
};
