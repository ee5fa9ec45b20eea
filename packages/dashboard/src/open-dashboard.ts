import { type Clock, newDisposer, type Random, realClock, systemRandom } from '@orrery/base';
import type { DashboardCluster } from './feed/cluster.ts';
import { type ClusterFeed, newClusterFeed } from './feed/cluster-feed.ts';
import { poll } from './feed/poll.ts';
import { newSampleHistory } from './feed/sample-history.ts';
import { newViewStore } from './feed/view-store.ts';
import { newViewer, type Sink, type Viewer } from './feed/viewer.ts';
import type { Hello } from './protocol.ts';
import { newActions } from './server/actions.ts';
import { loadPage } from './server/page.ts';
import { startPageServer } from './server/server.ts';

export interface DashboardOptions {
  /** What the page shows. Their transports are not closed. */
  readonly clusters: readonly DashboardCluster[];
  /** @default 'Orrery' */
  readonly title?: string;
  /** @default any free one */
  readonly port?: number;
  /** @default real time */
  readonly clock?: Clock;
  /** Makes the secrets: must be unpredictable. @default the system's randomness */
  readonly random?: Random;
}

export interface Dashboard {
  /** On 127.0.0.1, with the secret that opens the page in its fragment: for this user's eyes only. */
  readonly url: string;
  /** Pages that look now. */
  readonly viewers: number;
  close(): Promise<void>;
}

/**
 * Serves a page that shows clusters, on this machine alone. Credentials stay in this process; the page sees names, states and logs.
 * Rejects when the port is taken. A cluster that does not answer is shown as such and tried again.
 */
export async function openDashboard(options: DashboardOptions): Promise<Dashboard> {
  const { clusters, title = 'Orrery', port = 0, clock = realClock, random = systemRandom } = options;
  const disposer = newDisposer();
  const stop = new AbortController();
  const store = newViewStore();
  const history = newSampleHistory();
  const viewers = new Set<Viewer>();
  const feeds: ClusterFeed[] = clusters.map((cluster, index) =>
    newClusterFeed({
      index,
      cluster,
      store,
      clock,
      random,
      onState: (state) => {
        for (const viewer of viewers) viewer.state(index, state);
      },
    }),
  );
  const hello: Hello = {
    type: 'hello',
    title,
    clusters: clusters.map(({ name, namespace = '', stop }) => ({ name, namespace, stoppable: stop !== undefined })),
  };
  /** Polls run while somebody looks. */
  let polling: AbortController | undefined;
  const startPolls = (): void => {
    polling = new AbortController();
    const { signal } = polling;
    for (const [index, cluster] of clusters.entries()) {
      const onSample = (sample: Parameters<Viewer['sample']>[0]): void => {
        history.add(sample);
        for (const viewer of viewers) viewer.sample(sample);
      };
      const feed = feeds[index];
      if (feed !== undefined) void poll({ index, cluster, feed, clock, onSample }, signal);
    }
  };
  const look = (sink: Sink): (() => void) => {
    const viewer = newViewer({ store, clock, sink, hello, past: history.past() });
    for (const [index, feed] of feeds.entries()) viewer.state(index, feed.state);
    viewers.add(viewer);
    if (viewers.size === 1) startPolls();
    return () => {
      viewer.close();
      viewers.delete(viewer);
      if (viewers.size === 0) polling?.abort();
    };
  };

  const act = newActions({ clusters, store, clock });
  const server = await startPageServer({ port, random, page: await loadPage(), clusters, store, act, look });
  const running = Promise.all(feeds.map((feed) => feed.run(stop.signal)));
  disposer.defer(async () => {
    polling?.abort();
    stop.abort();
    await running;
  });
  disposer.defer(() => server.close());
  return {
    url: server.url,
    get viewers() {
      return viewers.size;
    },
    close: () => disposer.dispose(),
  };
}
