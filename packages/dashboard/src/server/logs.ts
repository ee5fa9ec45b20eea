import type { ServerResponse } from 'node:http';
import type { DashboardCluster } from '../feed/cluster.ts';
import type { ViewStore } from '../feed/view-store.ts';
import { answer, closedSignal, pipeBody } from './http.ts';

const TAIL_LINES = 1_000;

/** Follows the log of one container, as plain text, until it ends or the page goes away. */
export async function sendLog(
  query: URLSearchParams,
  { clusters, store }: { readonly clusters: readonly DashboardCluster[]; readonly store: ViewStore },
  response: ServerResponse,
): Promise<void> {
  const view = store.get(query.get('id') ?? '');
  const transport = view === undefined ? undefined : clusters[view.cluster]?.transport;
  const container = query.get('container') ?? '';
  if (view?.kind !== 'pod' || transport === undefined) return answer(response, 404, 'the pod is gone');
  if (!view.containers.some(({ name }) => name === container)) return answer(response, 404, `the pod has no container "${container}"`);
  const previous = query.get('previous') === 'true';
  const asked = new URLSearchParams({ container, tailLines: `${TAIL_LINES}`, timestamps: 'true' });
  asked.set(previous ? 'previous' : 'follow', 'true');
  const signal = closedSignal(response);
  try {
    const path = `/api/v1/namespaces/${encodeURIComponent(view.namespace)}/pods/${encodeURIComponent(view.name)}/log?${asked}`;
    const { body } = await transport.raw({ path }, signal);
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' });
    response.flushHeaders();
    await pipeBody(body, response, signal);
    response.end();
  } catch (err) {
    if (signal.aborted) return;
    if (response.headersSent) response.destroy();
    else answer(response, 502, err instanceof Error ? err.message : String(err));
  }
}
