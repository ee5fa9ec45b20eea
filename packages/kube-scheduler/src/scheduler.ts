import {
  namespaces,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  replicaSets,
  replicationControllers,
  services,
  storageClasses,
} from '@orrery/api';
import type { Namespace, Node, Pod } from '@orrery/api/core/v1';
import type { PodDisruptionBudget } from '@orrery/api/policy/v1';
import { type Clock, newTimeSlice, type Random } from '@orrery/base';
import { type Client, type InformerFactory, newEventRecorder } from '@orrery/client';
import { type Logger, type MetricsRegistry, silentLogger } from '@orrery/component';
import { SchedulerCache } from './cache/cache.ts';
import type { PodInfo } from './cache/pod-info.ts';
import { Snapshot } from './cache/snapshot.ts';
import { DEFAULT_SCHEDULER_NAME, defaultConfig, type SchedulerConfig } from './config.ts';
import { Nominator } from './framework/nominator.ts';
import type { PluginFactory } from './framework/plugin.ts';
import { WaitingPods } from './framework/waiting-pods.ts';
import { SchedulingQueue } from './queue/scheduling-queue.ts';
import { SchedulingCycle } from './scheduling/cycle.ts';
import { type Informed, namespaceHandler, nodeHandler, podHandler, storageHandler } from './scheduling/event-handlers.ts';
import { FailureReporter } from './scheduling/failure-report.ts';
import { newSchedulerMetrics } from './scheduling/metrics.ts';
import { newProfiles, type RunningProfile } from './scheduling/profiles.ts';
import { siblingsOf } from './scheduling/siblings.ts';
import { newTaskPool } from './scheduling/task-pool.ts';

export interface SchedulerOptions {
  readonly client: Client;
  /** May be shared with other components; run by whoever made it. */
  readonly informers: InformerFactory;
  readonly clock: Clock;
  readonly random: Random;
  /** @default silent */
  readonly log?: Logger;
  readonly metrics?: MetricsRegistry;
  /** Those left out have their defaults. */
  readonly config?: Partial<SchedulerConfig>;
  /** Plugins besides the built-in ones, by name; profiles enable them. */
  readonly plugins?: Readonly<Record<string, PluginFactory>>;
  /** What preemption spares where it can. @default none */
  readonly disruptionBudgets?: () => readonly PodDisruptionBudget[];
}

export interface Scheduler {
  /** Schedules until `signal` aborts; pods whose binding is under way are waited for. Call it once. */
  run(signal: AbortSignal): Promise<void>;
}

/**
 * Gives every pod that names one of its profiles a node.
 *
 * One pod is decided about at a time and without waiting, so the cluster stands still meanwhile; bindings go on in the background.
 * @throws {AssertionError} for profiles that cannot work.
 */
export function newScheduler(options: SchedulerOptions): Scheduler {
  const { client, informers, clock, random, log = silentLogger } = options;
  const config: SchedulerConfig = { ...defaultConfig, ...options.config };
  const podInformer = informers.informer<Pod>(pods);
  const nodeInformer = informers.informer<Node>(nodes);
  const namespaceInformer = informers.informer<Namespace>(namespaces);
  const owners = {
    services: informers.informer(services),
    replicaSets: informers.informer(replicaSets),
    replicationControllers: informers.informer(replicationControllers),
  };
  const storage = {
    claims: informers.informer(persistentVolumeClaims),
    volumes: informers.informer(persistentVolumes),
    classes: informers.informer(storageClasses),
  };
  const listers = {
    services: owners.services.lister,
    replicaSets: owners.replicaSets.lister,
    replicationControllers: owners.replicationControllers.lister,
  };
  const cache = new SchedulerCache();
  const snapshot = new Snapshot(cache);
  const nominator = new Nominator();
  const waiting = new WaitingPods(clock);
  const bindings = newTaskPool(config.bindingsMax);

  const start = () => {
    const events = newEventRecorder({ client, clock, random, component: DEFAULT_SCHEDULER_NAME, log });
    const shared = {
      client,
      clock,
      random,
      log,
      events,
      cluster: snapshot,
      nominator,
      waiting,
      pods: podInformer.lister,
      volumes: {
        claim: (namespace: string, name: string) => storage.claims.lister.get({ namespace, name }),
        volume: (name: string) => storage.volumes.lister.get({ name }),
        volumes: () => storage.volumes.lister.list(),
        storageClass: (name: string) => storage.classes.lister.get({ name }),
      },
      namespaceLabels: (name: string) => namespaceInformer.lister.get(name)?.metadata.labels,
      siblings: (pod: PodInfo) => siblingsOf(pod, listers),
      disruptionBudgets: options.disruptionBudgets ?? (() => []),
      activate: (uid: string) => queue.activate(uid),
    };
    const profiles: ReadonlyMap<string, RunningProfile> = newProfiles(config.profiles, shared, options.plugins ?? {});
    const profileOf = ({ pod }: PodInfo) => profiles.get(pod.spec.schedulerName ?? DEFAULT_SCHEDULER_NAME);
    const [first] = profiles.values();
    const queue = new SchedulingQueue({
      clock,
      compare: (a, b) => first?.profile.compare(a, b) ?? 0,
      gate: (info) =>
        profileOf(info)?.profile.preEnqueue.find((plugin) => (plugin.preEnqueue(info)?.code ?? 'Success') !== 'Success')?.name,
      hints: (info) => profileOf(info)?.hints ?? new Map(),
      initialBackoffMs: config.podInitialBackoffMs,
      maxBackoffMs: config.podMaxBackoffMs,
      unschedulableMaxMs: config.podMaxInUnschedulablePodsMs,
    });
    const reporter = new FailureReporter({ client, events, clock, log });
    const metrics = newSchedulerMetrics(options.metrics, queue);
    const cycle = new SchedulingCycle({
      cache,
      snapshot,
      queue,
      nominator,
      waiting,
      profiles,
      percentage: config.percentageOfNodesToScore,
      bindings,
      reporter,
      events,
      pods: podInformer.lister,
      clock,
      random,
      log,
      metrics,
    });
    const isOurs = ({ spec }: Pod): boolean => profiles.has(spec.schedulerName ?? DEFAULT_SCHEDULER_NAME);
    const informed: Informed = { cache, queue, nominator, waiting, isOurs };
    return { events, queue, cycle, reporter, informed };
  };

  return {
    async run(signal) {
      const { events, queue, cycle, reporter, informed } = start();
      const all = [podInformer, nodeInformer, namespaceInformer, ...Object.values(owners), ...Object.values(storage)];
      const registrations: { remove(): void }[] = [];
      try {
        if (!(await synced(all, signal))) return;
        // Nodes first: pods find theirs.
        registrations.push(namespaceInformer.addHandler(namespaceHandler(informed)));
        registrations.push(nodeInformer.addHandler(nodeHandler(informed)));
        registrations.push(
          storage.classes.addHandler(storageHandler(informed, 'StorageClass')),
          storage.volumes.addHandler(storageHandler(informed, 'PersistentVolume')),
          storage.claims.addHandler(storageHandler(informed, 'PersistentVolumeClaim')),
        );
        registrations.push(podInformer.addHandler(podHandler(informed)));
        await Promise.all([queue.run(signal), scheduleAll(queue, cycle, clock, signal)]);
      } finally {
        for (const registration of registrations) registration.remove();
        bindings.clear();
        await Promise.all([bindings.idle(), reporter.idle()]);
        await events.close();
      }
    },
  };
}

/** False when `signal` came first. */
async function synced(informers: readonly { waitForSync(signal: AbortSignal): Promise<void> }[], signal: AbortSignal): Promise<boolean> {
  try {
    await Promise.all(informers.map((informer) => informer.waitForSync(signal)));
    return true;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  }
}

/** One pod after the other; now and then everybody else in this process gets a turn. */
async function scheduleAll(queue: SchedulingQueue, cycle: SchedulingCycle, clock: Clock, signal: AbortSignal): Promise<void> {
  const slice = newTimeSlice(clock, SLICE_MS);
  while (!signal.aborted) {
    const pod = queue.pop();
    if (pod === undefined) {
      await queue.ready();
      continue;
    }
    cycle.schedule(pod, signal);
    if (slice.over) await slice.yield();
  }
}

/** As long as the others can wait without anybody noticing. */
const SLICE_MS = 5;
