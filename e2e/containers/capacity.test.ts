import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Census, censusOf, countsOf, filesBelow, openFilesOf, residentMib } from '../support/census.ts';
import { eventually } from '../support/eventually.ts';
import { Asker, accessOf } from '../support/https.ts';
import { type Json, shellPod, useContainers } from './fixture.ts';

const suite = useContainers('capacity', ['--max-pods=230']);

const pods = (namespace: string): string => `/api/v1/namespaces/${namespace}/pods`;

interface Starts {
  /** When each pod was seen to run, by name; in ms. */
  readonly runningAt: ReadonlyMap<string, number>;
  readonly gone: ReadonlySet<string>;
  /** Why a container ever waited or a pod failed, but for being made. */
  readonly complaints: readonly string[];
  stop(): void;
}

/** Watches pods as a client does. */
function watchStarts(asker: Asker, path: string): Starts {
  const runningAt = new Map<string, number>();
  const gone = new Set<string>();
  const complaints: string[] = [];
  const { stop } = asker.lines(`${path}?watch=true`, (line) => {
    if (line === '') return;
    const { type, object } = JSON.parse(line) as { readonly type: string; readonly object: Json };
    const name = `${object['metadata']?.['name']}`;
    if (type === 'DELETED') gone.add(name);
    const status = object['status'] ?? {};
    if (`${status['phase']}` === 'Running' && !runningAt.has(name)) runningAt.set(name, Date.now());
    if (`${status['phase']}` === 'Failed') complaints.push(`${name}: ${JSON.stringify(status)}`);
    for (const container of (status['containerStatuses'] ?? []) as unknown as readonly Json[]) {
      const reason = container['state']?.['waiting']?.['reason'];
      if (reason !== undefined && `${reason}` !== 'ContainerCreating') complaints.push(`${name}: ${reason}`);
      if (Number(container['restartCount']) > 0) complaints.push(`${name}: restarted`);
    }
  });
  return { runningAt, gone, complaints, stop };
}

const sleeper = (name: string): object => shellPod(name, 'trap "exit 0" TERM; sleep 1000 & wait');

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

describe('capacity', () => {
  test('200 pods created at once all run, and none needs a second try', { timeout: 240_000 }, async () => {
    const { cluster, create, namespace, ask } = suite();
    const asker = new Asker(accessOf(cluster.kubeconfig));
    const starts = watchStarts(asker, pods(namespace));
    const names = Array.from({ length: 200 }, (_, index) => `many-${index}`);
    const createdAt = new Map<string, number>();
    const began = Date.now();
    await Promise.all(
      names.map(async (name) => {
        createdAt.set(name, Date.now());
        await create(sleeper(name));
      }),
    );
    const createdMs = Date.now() - began;
    await eventually(() => expect(starts.runningAt.size).toBe(200), 180_000);
    const times = names.map((name) => (starts.runningAt.get(name) ?? 0) - (createdAt.get(name) ?? 0)).sort((a, b) => a - b);
    console.log(
      `200 pods: all created in ${createdMs} ms, all running in ${Math.max(...starts.runningAt.values()) - began} ms; created → Running p50 ${percentile(times, 0.5)} ms, p99 ${percentile(times, 0.99)} ms`,
    );
    expect(starts.complaints).toEqual([]);
    const deletedAt = Date.now();
    await ask(pods(namespace), { method: 'DELETE' });
    await eventually(() => expect(starts.gone.size).toBe(200), 120_000);
    console.log(`200 pods: all gone in ${Date.now() - deletedAt} ms`);
    starts.stop();
    asker.agent.destroy();
  });
});
