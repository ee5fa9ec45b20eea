import { connectHttp2, succeed } from '../support/http2-client.ts';
import { newConfigMap, newPod } from '../support/objects.ts';
import { type Endpoint, NAMESPACE } from '../support/server.ts';
import { nowMs } from '../support/timing.ts';

export interface CreateLoadOptions {
  readonly endpoint: Endpoint;
  readonly kind: 'configmaps' | 'pods';
  readonly inFlight: number;
  readonly seconds: number;
  /** Of the names, so that rounds do not meet. */
  readonly prefix: string;
}

const WARM_UP_SHARE = 0.3; // Of the time, uncounted: connections, and the server's code compiled.

/** Creates objects over one HTTP/2 connection for so long. Returns acknowledged creations a second. */
export async function createLoad({ endpoint, kind, inFlight, seconds, prefix }: CreateLoadOptions): Promise<number> {
  const session = await connectHttp2(endpoint);
  const path = `/api/v1/namespaces/${NAMESPACE}/${kind}`;
  const newObject = kind === 'pods' ? newPod : newConfigMap;
  const startMs = nowMs();
  const countFromMs = startMs + seconds * WARM_UP_SHARE * 1000;
  const endMs = startMs + seconds * 1000;
  let sent = 0;
  let counted = 0;
  const lane = async (): Promise<void> => {
    while (nowMs() < endMs) {
      sent += 1;
      const body = Buffer.from(JSON.stringify(newObject(NAMESPACE, `${prefix}-${sent}`)));
      await succeed(session, 'POST', path, body);
      const atMs = nowMs();
      if (atMs >= countFromMs && atMs < endMs) counted += 1;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  session.close();
  return counted / ((endMs - countFromMs) / 1000);
}
