import type { Line, Samples } from '../line.ts';
import type { CreateLoadOptions } from '../peers/create-load.ts';
import { startServer } from '../support/server.ts';

const shapes = [
  { figure: 'ConfigMaps of 1 KB, 64 in flight', kind: 'configmaps', inFlight: 64 },
  { figure: 'pods, 64 in flight', kind: 'pods', inFlight: 64 },
  { figure: 'ConfigMaps of 1 KB, 1 in flight', kind: 'configmaps', inFlight: 1 },
  { figure: 'pods, 1 in flight', kind: 'pods', inFlight: 1 },
] as const;

export const createsLine: Line = {
  name: 'creates',
  what: 'durable creations through HTTPS',
  method: 'API server over LMDB; a bare HTTP/2 client in another process on the same cores; 4 s each, the first 30 % uncounted',
  figures: shapes.map(({ figure, inFlight }) => ({ name: figure, unit: '/s', ...(inFlight === 64 ? { reach: { atLeast: 5000 } } : {}) })),
  runs: { full: 3, quick: 1 },
  timeoutMs: 60_000,
  async measure({ directory, quick, peer }) {
    await using server = await startServer(directory);
    const samples: Record<string, number[]> = {};
    for (const [index, { figure, kind, inFlight }] of shapes.entries()) {
      const options: CreateLoadOptions = { endpoint: server.endpoint, kind, inFlight, seconds: quick ? 2 : 4, prefix: `round-${index}` };
      samples[figure] = [(await peer('create-load', options)) as number];
    }
    return samples satisfies Samples;
  },
};
