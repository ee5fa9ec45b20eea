import type { ClientHttp2Session } from 'node:http2';
import { connectHttp2, succeed } from '../support/http2-client.ts';
import { newConfigMap } from '../support/objects.ts';
import { type Endpoint, NAMESPACE } from '../support/server.ts';
import { nowMs } from '../support/timing.ts';

export interface WatchLoadOptions {
  readonly endpoint: Endpoint;
  readonly watchers: number;
  readonly rounds: number;
}

const STREAMS_PER_CONNECTION = 200; // Below the 250 that servers, upstream's too, allow.

/** Opens watches; then changes one object again and again. Milliseconds from sending a change until the last watcher has it. */
export async function watchLoad({ endpoint, watchers, rounds }: WatchLoadOptions): Promise<readonly number[]> {
  const writer = await connectHttp2(endpoint);
  const sessions = await Promise.all(Array.from({ length: Math.ceil(watchers / STREAMS_PER_CONNECTION) }, () => connectHttp2(endpoint)));
  const collection = `/api/v1/namespaces/${NAMESPACE}/configmaps`;
  let told = 0;
  let allTold = (): void => {};
  const onEvents = (): void => {
    told += 1;
    if (told === watchers) allTold();
  };
  await Promise.all(
    Array.from({ length: watchers }, (_, index) => watch(sessions[index % sessions.length] as ClientHttp2Session, collection, onEvents)),
  );
  const ms: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const body = Buffer.from(JSON.stringify(newConfigMap(NAMESPACE, `change-${round}`)));
    told = 0;
    const done = new Promise<void>((resolve) => {
      allTold = resolve;
    });
    const startMs = nowMs();
    await Promise.all([succeed(writer, 'POST', collection, body), done]);
    ms.push(nowMs() - startMs);
  }
  for (const session of [writer, ...sessions]) session.destroy();
  return ms.slice(Math.ceil(rounds * 0.1)); // The first ones warm up.
}

/** Resolves when the watch is open. An event is one line; `onEvent` is called at its end. */
function watch(session: ClientHttp2Session, collection: string, onEvent: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':path': `${collection}?watch=true`, accept: 'application/json' });
    stream.on('response', (headers) => {
      if (Number(headers[':status']) === 200) resolve();
      else reject(new Error(`watch: ${headers[':status']}`));
    });
    stream.on('data', (chunk: Buffer) => {
      if (chunk[chunk.length - 1] === 10) onEvent();
    });
    stream.on('error', () => {}); // Its session's end.
  });
}
