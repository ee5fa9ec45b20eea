import { request } from 'node:https';
import { type Clock, timeoutSignal } from '@orrery/base';
import { type ConnectContext, kubeletOf } from '../connect/node-connection.ts';
import type { Sample, Summary } from './summary.ts';

/** Two samples of one node, the older first. */
export interface SamplePair {
  readonly before: Sample;
  readonly after: Sample;
}

/** Reads kubelets' statistics when somebody asks, and never else: a cluster at rest costs nothing. */
export interface KubeletSummaries {
  /** Undefined when the node does not answer. */
  pairOf(nodeName: string): Promise<SamplePair | undefined>;
  /** Forgets nodes that nobody asked about for a minute. */
  prune(): void;
}

/** An answer this young is given again. */
const FRESH_MS = 5000;
/** An older sample says nothing about now. */
const STALE_MS = 60_000;
/** Between the two samples of a node that nobody asked about lately. */
const WINDOW_MS = 1000;
const TIMEOUT_MS = 5000;
/** 250 pods with three containers each are 1 MiB. */
const SUMMARY_BYTES_MAX = 32 * 1024 * 1024;

export function newKubeletSummaries(context: ConnectContext, clock: Clock, read = readSummary): KubeletSummaries {
  const pairs = new Map<string, SamplePair>();
  const underWay = new Map<string, Promise<SamplePair | undefined>>();

  const sample = async (nodeName: string): Promise<Sample> => {
    const timeout = timeoutSignal(clock, TIMEOUT_MS);
    try {
      return { summary: await read(context, nodeName, timeout.signal), atMs: clock.monotonicMs() };
    } finally {
      timeout.dispose();
    }
  };
  const renew = async (nodeName: string): Promise<SamplePair | undefined> => {
    const last = pairs.get(nodeName)?.after;
    const usable = last !== undefined && clock.monotonicMs() - last.atMs < STALE_MS;
    const before = usable ? last : await sample(nodeName);
    if (!usable) await clock.sleep(WINDOW_MS);
    const pair = { before, after: await sample(nodeName) };
    pairs.set(nodeName, pair);
    return pair;
  };

  return {
    pairOf(nodeName) {
      const pair = pairs.get(nodeName);
      if (pair !== undefined && clock.monotonicMs() - pair.after.atMs < FRESH_MS) return Promise.resolve(pair);
      // A node that does not answer has no metrics: upstream's metrics server leaves it out too.
      const renewal =
        underWay.get(nodeName) ??
        renew(nodeName)
          .then(
            (renewed) => renewed,
            () => undefined,
          )
          .finally(() => underWay.delete(nodeName));
      underWay.set(nodeName, renewal);
      return renewal;
    },
    prune() {
      for (const [name, { after }] of pairs) if (clock.monotonicMs() - after.atMs >= STALE_MS) pairs.delete(name);
    },
  };
}

async function readSummary(context: ConnectContext, nodeName: string, signal: AbortSignal): Promise<Summary> {
  const { host, port, tls } = await kubeletOf(context, nodeName, signal);
  const body = await new Promise<string>((resolve, reject) => {
    const { ca, cert, key, servername } = tls ?? {};
    const secure = { ...(ca && { ca: [ca].flat() }), ...(cert && { cert }), ...(key && { key }), ...(servername && { servername }) };
    const outgoing = request({ host, port, path: '/stats/summary', agent: false, signal, ...secure }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('error', reject);
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        chunks.push(chunk);
        if (bytes > SUMMARY_BYTES_MAX)
          response.destroy(new Error(`the summary of node ${nodeName} is longer than ${SUMMARY_BYTES_MAX} bytes`));
      });
      response.on('end', () => {
        if (response.statusCode === 200) resolve(Buffer.concat(chunks).toString());
        else reject(new Error(`the kubelet of node ${nodeName} answered ${response.statusCode}`));
      });
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
  return JSON.parse(body) as Summary;
}
