import { configMaps } from '@orrery/api';
import { sharedSignal } from '@orrery/base';
import type { Client } from '@orrery/client';
import type { Line } from '../line.ts';
import type { WatchLoadOptions } from '../peers/watch-load.ts';
import { newConfigMap } from '../support/objects.ts';
import { NAMESPACE, startServer } from '../support/server.ts';
import { nowMs } from '../support/timing.ts';

const WATCHERS = 1000;

/** Milliseconds of each of `rounds` changes, from sending it until the last watcher in this process has it. */
async function watchInProcess(client: Client, rounds: number): Promise<readonly number[]> {
  const stop = new AbortController();
  sharedSignal(stop.signal);
  let told = 0;
  let allTold = (): void => {};
  const watch = async (): Promise<void> => {
    for await (const events of client.watch(configMaps, { namespace: NAMESPACE, signal: stop.signal })) {
      told += events.length;
      if (told === WATCHERS) allTold();
    }
  };
  const watching = Promise.allSettled(Array.from({ length: WATCHERS }, watch));
  const ms: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    told = 0;
    const done = new Promise<void>((resolve) => {
      allTold = resolve;
    });
    const startMs = nowMs();
    await Promise.all([client.create(configMaps, newConfigMap(NAMESPACE, `inside-${round}`) as never), done]);
    ms.push(nowMs() - startMs);
    await client.delete(configMaps, { namespace: NAMESPACE, name: `inside-${round}` });
    while (told < 2 * WATCHERS) await new Promise(setImmediate);
  }
  stop.abort();
  await watching;
  return ms.slice(Math.ceil(rounds * 0.1)); // The first ones warm up.
}

export const watchersLine: Line = {
  name: 'watchers',
  what: `${WATCHERS.toLocaleString('en')} watchers, one change until the last one is told`,
  method: 'a durable creation of 1 KB, from sending it to the last watcher; over HTTPS from another process, 200 watches a connection',
  figures: [
    { name: 'in process', unit: 'ms', reach: { atMost: 20 } },
    { name: 'through HTTPS', unit: 'ms', reach: { atMost: 20 } },
  ],
  runs: { full: 3, quick: 1 },
  timeoutMs: 60_000,
  async measure({ directory, quick, peer }) {
    await using server = await startServer(directory);
    const rounds = quick ? 20 : 50;
    const inside = await watchInProcess(server.client, rounds);
    const options: WatchLoadOptions = { endpoint: server.endpoint, watchers: WATCHERS, rounds };
    return { 'in process': inside, 'through HTTPS': (await peer('watch-load', options)) as readonly number[] };
  },
};
