import { jobs, pods } from '@orrery/api';
import type { Job } from '@orrery/api/batch/v1';
import type { Pod } from '@orrery/api/core/v1';
import { isNotFound } from '@orrery/apimachinery';
import type { Clock } from '@orrery/base';
import { type Client, isPodReady } from '@orrery/client';
import { LaunchProblem } from '../options/settings.ts';
import { codeAnnotation, commandAnnotation, managedBy, runLabel, runSelector, startedByAnnotation } from '../plan/labels.ts';

/** `beating`: its launcher lives. `stopped`: it does not, and the cluster is about to collect the run. `none`: it needs no launcher. */
export type Heart = 'beating' | 'stopped' | 'none';

/** A run as the cluster shows it. */
export interface RunSummary {
  readonly app: string;
  readonly id: string;
  readonly namespace: string;
  readonly heart: Heart;
  readonly command: string;
  readonly startedBy: string;
  /** RFC 3339. */
  readonly startedAt: string;
  /** SHA-256 of the code in hex. */
  readonly code: string;
  readonly pods: readonly { readonly name: string; readonly node: string; readonly phase: string; readonly ready: boolean }[];
  /** Of the root: what is deleted is this and no other. */
  readonly uid: string;
}

export interface RunScope {
  readonly client: Client;
  readonly clock: Clock;
  /** Absent: every namespace. */
  readonly namespace?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

const rootSelector = `app.kubernetes.io/managed-by=${managedBy},app.kubernetes.io/component=root`;
const programSelector = `${runLabel},app.kubernetes.io/component=program`;
/** Time that a lease has to be over before it counts as over: the server tells its time in whole seconds. */
const LEASE_MARGIN_MS = 2_000;

/** What runs where, by namespace, application and start. */
export async function listRuns({ client, clock, namespace, signal }: RunScope): Promise<RunSummary[]> {
  const [roots, programs, nowMs] = await Promise.all([
    client.list(jobs, { namespace, labelSelector: rootSelector, signal }),
    client.list(pods, { namespace, labelSelector: programSelector, signal }),
    serverTimeMs(client, clock, signal),
  ]);
  const key = ({ namespace: where, app, startedAt }: RunSummary): string => `${where}/${app}/${startedAt}`;
  return roots.items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map((root) => summaryOf(root, programs.items, nowMs))
    .sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** Leases are measured by the cluster's clock, not by ours. */
async function serverTimeMs(client: Client, clock: Clock, signal: AbortSignal | undefined): Promise<number> {
  const { headers, body } = await client.raw({ path: '/version' }, signal);
  for await (const _ of body); // To its end, so that the connection is free.
  const told = Date.parse(headers['date'] ?? '');
  return Number.isNaN(told) ? clock.now() : told;
}

function summaryOf(root: Job, programs: readonly Pod[], nowMs: number): RunSummary {
  const { labels = {}, annotations = {}, name = '', namespace = '', uid, creationTimestamp = '' } = root.metadata;
  const id = labels[runLabel] ?? name;
  return {
    app: labels['app.kubernetes.io/name'] ?? name,
    id,
    namespace,
    heart: heartOf(root, nowMs),
    command: annotations[commandAnnotation] ?? '',
    startedBy: annotations[startedByAnnotation] ?? '',
    startedAt: creationTimestamp,
    code: annotations[codeAnnotation] ?? '',
    pods: programs
      .filter(({ metadata }) => metadata.namespace === namespace && metadata.labels?.[runLabel] === id)
      .map((pod) => ({
        name: pod.metadata.name,
        node: pod.spec?.nodeName ?? '',
        phase: pod.metadata.deletionTimestamp === undefined ? (pod.status?.phase ?? 'Pending') : 'Terminating',
        ready: isPodReady(pod),
      })),
    uid,
  };
}

function heartOf({ metadata, spec, status }: Job, nowMs: number): Heart {
  const failed =
    status?.conditions?.some(({ type, status: is }) => is === 'True' && (type === 'Failed' || type === 'FailureTarget')) === true;
  const seconds = spec?.activeDeadlineSeconds;
  if (failed) return 'stopped';
  if (seconds === undefined) return 'none';
  const startMs = Date.parse(status?.startTime ?? metadata.creationTimestamp ?? '');
  return nowMs > startMs + seconds * 1000 + LEASE_MARGIN_MS ? 'stopped' : 'beating';
}

const POLL_MS = 200;
const STOP_MS_MAX = 60_000;

/**
 * Deletes a run, exactly the one that was listed, with all that belongs to it; resolves when its pods are gone.
 * @throws {LaunchProblem} when pods are still there after a minute.
 */
export async function stopRun({ namespace, app, id, uid }: RunSummary, { client, clock, signal }: RunScope): Promise<void> {
  const name = `${app}-${id}`;
  try {
    await client.delete(jobs, { namespace, name }, { preconditions: { uid }, propagationPolicy: 'Background', signal });
  } catch (error) {
    if (!isNotFound(error)) throw error; // Somebody else was faster.
  }
  const deadlineMs = clock.monotonicMs() + STOP_MS_MAX;
  for (;;) {
    const { items } = await client.list(pods, { namespace, labelSelector: runSelector({ id }), signal });
    if (items.length === 0) return;
    if (clock.monotonicMs() > deadlineMs)
      throw new LaunchProblem(`${name}: ${items.length} pods are still there; they may need a node that is gone`);
    await clock.sleep(POLL_MS, signal);
  }
}

/** Deletes the runs whose launcher lives no more. Resolves with them. */
export async function collectRuns(scope: RunScope): Promise<RunSummary[]> {
  const stopped = (await listRuns(scope)).filter(({ heart }) => heart === 'stopped');
  for (const run of stopped) await stopRun(run, scope);
  return stopped;
}
