import { connectHttp2, succeed } from '../support/http2-client.ts';
import type { Endpoint } from '../support/server.ts';
import { nowMs } from '../support/timing.ts';

export interface ListLoadOptions {
  readonly endpoint: Endpoint;
  readonly path: string;
  readonly rounds: number;
}

export interface ListLoadResult {
  readonly ms: readonly number[];
  readonly bytes: number;
}

/** Gets `path` again and again; milliseconds from the request to the last byte of the answer, which is not parsed. */
export async function listLoad({ endpoint, path, rounds }: ListLoadOptions): Promise<ListLoadResult> {
  const session = await connectHttp2(endpoint);
  const ms: number[] = [];
  let bytes = 0;
  await succeed(session, 'GET', path);
  for (let round = 0; round < rounds; round += 1) {
    const startMs = nowMs();
    ({ bytes } = await succeed(session, 'GET', path));
    ms.push(nowMs() - startMs);
  }
  session.close();
  return { ms, bytes };
}
