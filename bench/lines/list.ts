import { pods } from '@orrery/api';
import type { Pod } from '@orrery/api/core/v1';
import type { Line } from '../line.ts';
import type { ListLoadOptions, ListLoadResult } from '../peers/list-load.ts';
import { newPod } from '../support/objects.ts';
import { NAMESPACE, startServer } from '../support/server.ts';
import { inParallel } from '../support/timing.ts';

const PODS = 10_000;

export const listLine: Line = {
  name: 'list',
  what: `LIST of ${PODS.toLocaleString('en')} pods through HTTPS`,
  method: 'from the request to the last byte, in another process that does not parse; API server over LMDB, uncompressed JSON',
  figures: [
    { name: 'consistent (no resourceVersion)', unit: 'ms', reach: { atMost: 60 } },
    { name: 'from the cache (resourceVersion=0)', unit: 'ms', reach: { atMost: 60 } },
    { name: 'size', unit: 'MB' },
  ],
  runs: { full: 3, quick: 1 },
  timeoutMs: 90_000,
  async measure({ directory, quick, peer }) {
    await using server = await startServer(directory);
    await inParallel(PODS, 64, (index) => server.client.create<Pod>(pods, newPod(NAMESPACE, `pod-${index}`)));
    const load = (query: string): Promise<ListLoadResult> => {
      const options: ListLoadOptions = { endpoint: server.endpoint, path: `/api/v1/pods${query}`, rounds: quick ? 5 : 15 };
      return peer('list-load', options) as Promise<ListLoadResult>;
    };
    const consistent = await load('');
    const cached = await load('?resourceVersion=0');
    return {
      'consistent (no resourceVersion)': consistent.ms,
      'from the cache (resourceVersion=0)': cached.ms,
      size: [consistent.bytes / 1e6],
    };
  },
};
