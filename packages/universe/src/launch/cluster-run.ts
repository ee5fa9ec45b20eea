import { pods } from '@orrery/api';
import type { Pod } from '@orrery/api/core/v1';
import { type Deferred, deferred } from '@orrery/base';
import { isPodActive, isPodReady, newInformerFactory } from '@orrery/client';
import { sendCode } from '../exec/send-code.ts';
import type { ForwardTarget } from '../forward/forward-ports.ts';
import { LaunchProblem, type Settings } from '../options/settings.ts';
import { runName, runSelector } from '../plan/labels.ts';
import { isStreamed, type Payload } from '../plan/payload.ts';
import type { Plan } from '../plan/plan.ts';
import type { Connection } from './connect.ts';
import { createRoot } from './create-run.ts';
import { startHeartbeat } from './heartbeat.ts';
import type { LaunchIo } from './launch-io.ts';
import type { Narrator } from './narrator.ts';
import { newPodLogs } from './pod-logs.ts';
import { isHopeless, podProblem } from './pod-problems.ts';
import { newUpdates } from './updates.ts';

/** A run in one cluster, from its first object to its last. */
export interface ClusterRun {
  readonly cluster: string;
  readonly name: string;
  readonly namespace: string;
  readonly wanted: number;
  /** None while the cluster does not answer. */
  readyPods(): readonly ForwardTarget[];
  /** Whether it is taken away by its cluster when this process says nothing for 20 s. */
  readonly leased: boolean;
  /** Why the cluster does not answer now; undefined while it does. */
  lost(): string | undefined;
  /** Resolves when all pods are ready; for a job, when they have begun. Rejects when that cannot be. */
  readonly ready: Promise<void>;
  /** Resolves with the exit code when a job has ended; rejects when somebody else ended the run. */
  readonly ended: Promise<number>;
  /** Brings newer code into the pods that run, and into those that will. Only where the run is watched. @returns how many run it */
  update(payload: Payload): Promise<number>;
  /** Ends what this process does for the run. The run stays. */
  detach(): Promise<void>;
  /** Takes the run away and waits for its pods. */
  remove(): Promise<void>;
}

export interface ClusterRunOptions {
  readonly connection: Connection;
  readonly plan: Plan;
  readonly payload: Payload;
  readonly settings: Settings;
  readonly wanted: number;
  /** Whether others go on without this one. */
  readonly several: boolean;
  readonly io: LaunchIo;
  readonly narrator: Narrator;
}

const GONE_MS_MAX = 30_000;
const POLL_MS = 150;

/** Begins a run: resolves when its root is there. Everything after that is undone by {@link ClusterRun.remove}. */
export async function startClusterRun(options: ClusterRunOptions): Promise<ClusterRun> {
  const { connection, plan, settings, wanted, several, io, narrator } = options;
  const { client, name: cluster } = connection;
  const { clock } = io;
  const { namespace } = plan.run;
  const created = await createRoot(client, plan, clock);
  const [ready, ended] = [deferred<void>(), deferred<number>()];
  for (const { promise } of [ready, ended]) promise.catch(() => undefined); // Whoever wants to know asks.
  const seeCluster = (problem: string | undefined): void => {
    if (problem === undefined) narrator.say(`${cluster} answers again`);
    else narrator.problem(cluster, `it does not answer: ${problem}${several ? '; the others go on' : ''}`);
    if (problem !== undefined && several) ready.resolve(); // What is up elsewhere does not wait for it.
  };
  const following = new AbortController();
  const leased = plan.root.spec?.activeDeadlineSeconds !== undefined;
  const heart = leased ? startHeartbeat(client, created.root, created.createdMs, clock, seeCluster) : undefined;
  const logs = newPodLogs({ client, clock, signal: following.signal, onLine: (pod, text) => narrator.line(cluster, pod, text) });
  const informers = newInformerFactory(client, { clock, random: io.random });
  const informer = informers.informer(pods, { namespace, labelSelector: `${runSelector(plan.run)},app.kubernetes.io/component=program` });
  const codes = new Map<string, number>(); // Exit codes of a job's pods, by uid.
  const fed = new Set<string>();

  const updates = newUpdates({ transport: connection.transport, signal: following.signal, narrator });

  const see = (pod: Pod): void => {
    logs.see(pod);
    updates.see(pod);
    feed(options, pod, fed, following.signal, ready);
    tellOf(pod, narrator, ready);
    look();
  };
  const look = (): void => {
    const all = informer.lister.list();
    const up = settings.job
      ? all.filter((pod) => pod.status?.phase !== 'Pending')
      : all.filter((pod) => isPodActive(pod) && isPodReady(pod));
    if (up.length >= wanted) ready.resolve();
    if (settings.job) for (const pod of all) noteExit(pod, codes);
    if (settings.job && codes.size >= wanted)
      void logs.drained().then(() => ended.resolve([...codes.values()].find((code) => code !== 0) ?? 0));
  };
  informer.addHandler({
    onAdd: see,
    onUpdate: (_, pod) => see(pod),
    onDelete(pod) {
      logs.forget(pod);
      updates.forget(pod);
      look();
    },
  });
  const watching = informers.run(following.signal);
  void heart?.gone.then(() =>
    ended.reject(
      new LaunchProblem(`${runName(plan.run)} is no longer in ${cluster}: somebody stopped it, or nothing was heard of it for too long`),
    ),
  );
  void created.fill(following.signal).catch((error: unknown) => {
    ready.reject(error);
    ended.reject(error);
  });

  const detach = async (): Promise<void> => {
    heart?.stop();
    following.abort();
    await watching;
  };
  return {
    cluster,
    name: runName(plan.run),
    namespace,
    wanted,
    readyPods() {
      if (heart?.problem() !== undefined) return [];
      const up = informer.lister.list().filter((pod) => isPodActive(pod) && isPodReady(pod));
      return up.map(({ metadata }) => ({ namespace, name: metadata.name, transport: connection.transport }));
    },
    update: updates.push,
    lost: () => heart?.problem(),
    ready: ready.promise,
    ended: ended.promise,
    leased,
    detach,
    async remove() {
      following.abort();
      await created.remove();
      await detach();
      await untilPodsAreGone(options);
    },
  };
}

/** Says what keeps a pod from running; waiting for what cannot mend itself ends at once. */
function tellOf(pod: Pod, narrator: Narrator, ready: Deferred<void>): void {
  const { name } = pod.metadata;
  const problem = podProblem(pod);
  if (problem === undefined) narrator.well(name);
  else narrator.problem(name, problem);
  if (problem !== undefined && isHopeless(problem)) ready.reject(new LaunchProblem(`${name}: ${problem}`));
}

/** Streams the code into the pod's receiver, where it did not come with ConfigMaps. */
function feed(
  { connection, payload, io, narrator }: ClusterRunOptions,
  { metadata, status }: Pod,
  fed: Set<string>,
  signal: AbortSignal,
  ready: Deferred<void>,
): void {
  const receiver = status?.initContainerStatuses?.find(({ name }) => name === 'code');
  const id = receiver?.state?.running === undefined ? undefined : receiver.containerID;
  if (!isStreamed(payload) || id === undefined || fed.has(id)) return;
  fed.add(id);
  const { transport } = connection;
  const send = async (attempt: number): Promise<void> => {
    try {
      await sendCode({
        transport,
        namespace: metadata.namespace ?? '',
        pod: metadata.name,
        starter: payload.starter,
        code: payload.packed,
        signal,
      });
    } catch (error) {
      if (signal.aborted) return;
      if (attempt >= 3) return ready.reject(error);
      narrator.problem(metadata.name, error instanceof Error ? error.message : String(error));
      await io.clock.sleep(500, signal).catch(() => undefined);
      await send(attempt + 1);
    }
  };
  void send(1);
}

function noteExit(pod: Pod, codes: Map<string, number>): void {
  const code = exitCodeOf(pod);
  if (code !== undefined) codes.set(pod.metadata.uid, code);
}

function exitCodeOf({ status }: Pod): number | undefined {
  if (status?.phase === 'Succeeded') return 0;
  if (status?.phase !== 'Failed') return undefined;
  return status.containerStatuses?.find(({ name }) => name === 'program')?.state?.terminated?.exitCode || 1;
}

async function untilPodsAreGone({ connection: { client }, plan, io: { clock }, narrator }: ClusterRunOptions): Promise<void> {
  const deadlineMs = clock.monotonicMs() + GONE_MS_MAX;
  for (;;) {
    const { items } = await client.list(pods, { namespace: plan.run.namespace, labelSelector: runSelector(plan.run) });
    if (items.length === 0) return;
    if (clock.monotonicMs() > deadlineMs) return narrator.say(`${items.length} pods still end; the cluster takes them`);
    await clock.sleep(POLL_MS);
  }
}
