import { existsSync } from 'node:fs';
import { pods, serviceAccounts } from '@orrery/api';
import type { Pod } from '@orrery/api/core/v1';
import type { NewObject } from '@orrery/apimachinery';
import { type Client, loadKubeconfig, newClient, transportFromKubeconfig } from '@orrery/client';
import type { Line } from '../line.ts';
import { orreryUp } from '../support/orrery-up.ts';
import { nowMs, sleep } from '../support/timing.ts';

const namespace = 'default';

const newSleeper = (name: string): NewObject<Pod> =>
  ({
    metadata: { namespace, name },
    spec: {
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'c', image: 'host', command: ['sleep', '3600'] }],
    },
  }) as NewObject<Pod>;

/** Milliseconds from sending a new pod until a watch shows it Running; then it is deleted, and gone, before the next one. */
async function startOne(client: Client, name: string, signal: AbortSignal): Promise<number> {
  let phase: string | undefined;
  let startMs = 0;
  let ms = 0;
  const over = new AbortController();
  const watched = (async () => {
    const watchSignal = AbortSignal.any([signal, over.signal]);
    for await (const events of client.watch<Pod>(pods, { namespace, fieldSelector: `metadata.name=${name}`, signal: watchSignal })) {
      for (const { type, object } of events) {
        phase = object.status?.phase;
        if (type === 'DELETED') return;
        if (phase === 'Failed') throw new Error(`${name} failed: ${JSON.stringify(object.status)}`);
        if (phase === 'Running' && ms === 0) {
          ms = nowMs() - startMs;
          await client.delete(pods, { namespace, name });
        }
      }
    }
    throw new Error(`the watch of ${name} ended when it was ${phase}`);
  })();
  await sleep(20); // The watch is open.
  startMs = nowMs();
  try {
    await client.create<Pod>(pods, newSleeper(name));
    await watched;
  } finally {
    over.abort();
  }
  return ms;
}

export const podStartLine: Line = {
  name: 'pod-start',
  what: 'pod created until Running, process driver',
  method: '`orrery up`; pods of one `sleep`, one after the other; from sending the pod to the watch event, over HTTPS from another process',
  figures: [
    { name: 'median', unit: 'ms', reach: { atMost: 100 } },
    { name: '99th percentile', unit: 'ms', percentile: 0.99 },
  ],
  runs: { full: 1, quick: 1 },
  timeoutMs: 90_000,
  async measure({ directory, quick, signal }) {
    await using orrery = await orreryUp(directory, signal);
    const client = newClient(await transportFromKubeconfig(await kubeconfigOf(orrery.kubeconfig, signal)));
    try {
      while (!(await client.get(serviceAccounts, { namespace, name: 'default' }).then(...hasIt))) await sleep(50);
      const ms: number[] = [];
      for (let index = 0; index < (quick ? 10 : 50); index += 1) ms.push(await startOne(client, `pod-${index}`, signal));
      return { median: ms, '99th percentile': ms };
    } finally {
      await client.transport.close();
    }
  },
};

const hasIt = [() => true, () => false] as const;

/** It is written a moment after the API is ready. */
async function kubeconfigOf(path: string, signal: AbortSignal) {
  while (!existsSync(path)) {
    signal.throwIfAborted();
    await sleep(20);
  }
  return loadKubeconfig([path]);
}
