import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { deferred, newSeededRandom } from '@orrery/base';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestCluster, type TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { Asker, accessOf } from '../support/https.ts';
import { podProcesses } from '../support/processes.ts';
import { collectionOf, type Go, type Known, NAMESPACE, type Report, type Resource, type Writing } from './protocol.ts';
import { Server } from './server.ts';
import { Watcher } from './watcher.ts';
import { type Listed, Witness } from './witness.ts';

const ROUNDS = Number(process.env['ORRERY_CRASH_ROUNDS'] ?? '50');
const seed = Number(process.env['ORRERY_CRASH_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
/** The longest time under load before a kill. */
const LOAD_MS = 300;
/** About the time a start takes: a kill comes at any point of it. */
const START_MS = 500;

let cluster: TestCluster;
let load: ChildProcess;
beforeAll(async () => {
  cluster = await startTestCluster();
  load = fork(fileURLToPath(new URL('load.ts', import.meta.url)), [`${seed}`], { execArgv: ['--import', 'tsx'] });
  await cluster.kubectl(['create', 'namespace', NAMESPACE]);
  await cluster.kubectl(['create', 'deployment', 'steady', '--image=none', '--replicas=3', '--', 'sleep', '3600']);
  const count = 'i=0; while :; do echo $i; i=$((i+1)); sleep 0.05; done';
  await cluster.kubectl(['run', 'counter', '--image=none', '--command', '--', 'sh', '-c', count]);
  await cluster.kubectl(['wait', '--for=condition=Available', 'deploy/steady', '--timeout=20s']);
  await cluster.kubectl(['wait', '--for=condition=Ready', 'pod/counter', '--timeout=20s']);
});
afterAll(async () => {
  load.disconnect();
  await cluster.dispose();
});

interface ApiList {
  readonly metadata: { readonly resourceVersion: string };
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly resourceVersion: string; readonly annotations?: Readonly<Record<string, string>> };
    readonly data?: Readonly<Record<string, string>>;
  }[];
}

async function listAll(asker: Asker): Promise<Listed> {
  const parts = await Promise.all(
    (['configmaps', 'pods'] as const).map(async (resource: Resource) => {
      const { value } = await asker.json<ApiList>(`${collectionOf(resource)}?labelSelector=load%3Dyes`);
      const objects = value.items.map(
        ({ metadata: { name, resourceVersion, annotations }, data }): Known => ({
          resource,
          name,
          value: data?.['value'] ?? annotations?.['value'] ?? '',
          revision: resourceVersion,
        }),
      );
      return { revision: Number(value.metadata.resourceVersion), objects };
    }),
  );
  return { revision: Math.max(...parts.map(({ revision }) => revision)), objects: parts.flatMap(({ objects }) => objects) };
}

/** Pods with the identity of what runs in them. */
async function podsRunning(): Promise<string[]> {
  const path =
    '{range .items[*]}{.metadata.uid} {.status.phase} {.status.containerStatuses[0].containerID} {.status.containerStatuses[0].restartCount} {.status.containerStatuses[0].ready}{"\\n"}{end}';
  return (await cluster.kubectl(['get', 'pods', '--sort-by=.metadata.name', '-o', `jsonpath=${path}`])).trim().split('\n');
}
const containerIds = (pods: readonly string[]): string[] => pods.map((pod) => /process:\/\/(\S+)/.exec(pod)?.[1] ?? '');
/** The lasting ones: a shell's `sleep` comes and goes. */
const lastingProcesses = (pods: readonly string[]): string[] =>
  podProcesses(containerIds(pods))
    .filter(({ command }) => !command.startsWith('sleep 0.05'))
    .map(({ pid, startTicks, command }) => `${pid} ${startTicks} ${command}`)
    .sort();

/** Those of several looks: a shell that is about to start a command shows as two for a moment. */
async function stayingProcesses(pods: readonly string[]): Promise<string[]> {
  let staying = lastingProcesses(pods);
  for (let looks = 0; looks < 5; looks += 1) {
    await sleep(70);
    const now = new Set(lastingProcesses(pods));
    staying = staying.filter((each) => now.has(each));
  }
  return staying;
}

function runLoad(go: Go): { readonly writing: Promise<void>; readonly report: Promise<Report> } {
  const writing = deferred<void>();
  const report = deferred<Report>();
  const fail = (code: number | null): void => {
    for (const each of [writing, report]) each.reject(new Error(`the load ended with ${code}`));
  };
  load.once('exit', fail);
  load.on('message', (message: Writing | Report) => {
    writing.resolve(); // Also with a report of nothing: the check says why.
    if (message === 'writing') return;
    report.resolve(message);
    load.removeAllListeners('message').removeListener('exit', fail);
  });
  load.send(go);
  return { writing: writing.promise, report: report.promise };
}
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe(`kill -9 at random moments under 64 writers, ${ROUNDS} times (ORRERY_CRASH_SEED=${seed})`, () => {
  const random = newSeededRandom(seed);
  const witness = new Witness();
  let before: { readonly pods: string[]; readonly processes: string[] };

  test('no acknowledged write is lost, no revision reused, every event comes once', { timeout: 300_000 }, async () => {
    await eventually(async () => expect((await podsRunning()).filter((pod) => pod.endsWith('0 true'))).toHaveLength(4));
    const pods = await podsRunning();
    before = { pods, processes: await stayingProcesses(pods) };
    expect(before.processes.length).toBeGreaterThanOrEqual(4);
    const stopped = await cluster.orrery(['down', '--keep-pods']);
    expect(stopped.stdout + stopped.stderr).toBe('cluster "default" stopped\n');

    const watchers = new Map<string, Watcher>();
    let report: Report | undefined;
    for (let round = 0; ; round += 1) {
      const server = await startServer(round);
      const asker = new Asker(accessOf(cluster.kubeconfig));
      await inspect(asker, watchers, report);
      expect(witness.violations, `after ${round} kills, seed ${seed}`).toEqual([]);
      if (round === ROUNDS) break; // This one runs on.
      const running = runLoad({ kubeconfig: cluster.kubeconfig, http2: round % 4 !== 0, known: witness.known() });
      await running.writing;
      await sleep(random.integer(LOAD_MS));
      await server.kill();
      report = await running.report;
      for (const watcher of watchers.values()) watcher.disconnect();
      asker.agent.destroy();
    }
    for (const watcher of watchers.values()) watcher.disconnect();
    const { acknowledged, doubtfulDone, doubtfulNotDone } = witness;
    console.log(
      `crash: ${acknowledged} writes acknowledged; without an answer: ${doubtfulDone} done, ${doubtfulNotDone} not; seed ${seed}`,
    );
    expect(acknowledged).toBeGreaterThan(ROUNDS);
  });

  /** Sometimes killed while it starts. */
  async function startServer(round: number): Promise<Server> {
    if (round > 0 && random.integer(5) === 0) {
      const unlucky = new Server(cluster);
      await sleep(random.integer(START_MS));
      await unlucky.kill();
    }
    const server = new Server(cluster);
    await server.ready();
    return server;
  }

  async function inspect(asker: Asker, watchers: Map<string, Watcher>, report: Report | undefined): Promise<void> {
    if (watchers.size === 0) {
      const from = `${(await listAll(asker)).revision}`;
      watchers.set('configmaps', new Watcher('configmaps', false, from));
      watchers.set('configmaps with bookmarks', new Watcher('configmaps', true, from));
      watchers.set('pods', new Watcher('pods', true, from));
    }
    for (const watcher of watchers.values()) watcher.connect(asker);
    if (report !== undefined) witness.check(report, await listAll(asker));
    for (const [label, watcher] of watchers) {
      const complete = (): void => expect(witness.isComplete(watcher) || watcher.errors.length > 0).toBe(true);
      await eventually(complete, 5_000).catch(() => undefined); // What is missing is said by the check.
      witness.checkWatcher(watcher, label);
    }
  }

  test('running pods were untouched', { timeout: 60_000 }, async () => {
    await eventually(async () => expect(await podsRunning()).toEqual(before.pods));
    // A shell that is about to start a command shows as two for a moment: looked at again, it is one.
    await eventually(() => expect(lastingProcesses(before.pods)).toEqual(before.processes));
  });

  test('their logs have neither gap nor repeat', { timeout: 30_000 }, async () => {
    const lines = (await cluster.kubectl(['logs', 'counter'])).trim().split('\n');
    expect(lines.length).toBeGreaterThan(ROUNDS);
    expect(lines).toEqual(lines.map((_, index) => `${index}`));
  });
});
