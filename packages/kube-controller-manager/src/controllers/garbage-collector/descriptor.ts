import { aborted, anySignal, newTimeSlice, sharedSignal, type TimeSlice, timeoutSignal } from '@orrery/base';
import { newControllerRateLimiter, newDiscovery, newInformerFactory, newWorkQueue, type WorkQueue } from '@orrery/client';
import type { ControllerDescriptor, Runnable } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';
import { newAbsentOwners } from './absent-owners.ts';
import { type Collector, newCollector, type Outcome } from './collector.ts';
import { describeIdentity, identityOf } from './identity.ts';
import { newKindMapper } from './kind-mapper.ts';
import { newObjectAccess } from './object-access.ts';
import { type GraphListener, OwnerGraph } from './owner-graph.ts';
import { newResourceMonitors, type ResourceMonitors } from './resource-monitors.ts';

const NAME = 'garbage-collector-controller';
/** How often new resources are looked for. */
const RESYNC_MS = 30_000;
/** Then collection begins although some informer has not synced: what it would show is asked for at the server. */
const INITIAL_SYNC_MS = 30_000;

/** Deletes objects whose owners are gone, and carries out foreground and orphaning deletions. */
export const garbageCollector: ControllerDescriptor<ControllerContext> = {
  name: NAME,
  featureGates: [],
  create: (context) => ({ run: (signal) => newGarbageCollector(context).run(signal) }),
};

function newGarbageCollector(context: ControllerContext): Runnable {
  const { client, clock, random, informers, log, metrics, config } = context;
  const queue = (name: string): WorkQueue =>
    newWorkQueue({ clock, rateLimiter: newControllerRateLimiter(clock), metrics: metrics?.queue(name) });
  const toDelete = queue('garbage_collector_attempt_to_delete');
  const toOrphan = queue('garbage_collector_attempt_to_orphan');
  const discovery = newDiscovery(client);
  const kinds = newKindMapper(discovery);
  const absent = newAbsentOwners();
  const graph = new OwnerGraph(absent, newListener(context, toDelete, toOrphan));
  const access = newObjectAccess({ client, clock, kinds });
  const collector = newCollector({ graph, absent, kinds, access, enqueue: (uid) => toDelete.add(uid) });
  const customInformers = newInformerFactory(client, { clock, random, log });
  const monitors = newResourceMonitors({ discovery, informers, customInformers, graph, log });
  return {
    async run(signal) {
      sharedSignal(signal);
      const stopped = aborted(signal).then(() => {
        toDelete.shutDown();
        toOrphan.shutDown();
      });
      const syncing = keepSynced(context, monitors, signal);
      try {
        await syncing.first;
        const slice = newTimeSlice(clock);
        const workers = Array.from({ length: config.concurrentGcSyncs }, () => [
          work(context, toDelete, slice, collector.attemptToDelete, signal),
          work(context, toOrphan, slice, collector.attemptToOrphan, signal),
        ]);
        await Promise.all(workers.flat());
      } finally {
        await Promise.all([stopped, syncing.done]);
        await monitors.stop();
      }
    },
  };
}

function newListener({ recorderFor }: ControllerContext, toDelete: WorkQueue, toOrphan: WorkQueue): GraphListener {
  const recorder = recorderFor(NAME);
  return {
    attemptToDelete: (uid) => toDelete.add(uid),
    attemptToDeleteLater: (uid) => toDelete.addRateLimited(uid),
    attemptToOrphan: (uid) => toOrphan.add(uid),
    invalidNamespace({ identity }, reference) {
      const { namespace } = identity;
      const message = `ownerRef ${describeIdentity(identityOf(reference, namespace))} does not exist in namespace "${namespace}"`;
      recorder.event(identity, 'Warning', 'OwnerRefInvalidNamespace', message);
    },
  };
}

/** Follows discovery. `first`: what there was at the start is monitored and has synced, or has had its time. Neither promise rejects. */
function keepSynced(context: ControllerContext, monitors: ResourceMonitors, signal: AbortSignal) {
  const { clock, log } = context;
  const sync = async (): Promise<boolean> => {
    try {
      await monitors.sync(signal);
      return true;
    } catch (error) {
      if (!signal.aborted) log.warn('the resources to collect could not be discovered', { controller: NAME, error });
      return false;
    }
  };
  const settle = async (): Promise<void> => {
    while (!(await sync()) && !signal.aborted) await pause(1000);
    using timeout = timeoutSignal(clock, INITIAL_SYNC_MS);
    using either = anySignal(signal, timeout.signal);
    await monitors.waitForSync(sharedSignal(either.signal)).catch(() => {
      if (!signal.aborted) log.warn('not every resource has synced; collecting anyway', { controller: NAME });
    });
  };
  const pause = (ms: number): Promise<void> => clock.sleep(ms, signal).catch(() => {});
  const first = settle();
  const follow = async (): Promise<void> => {
    await first;
    while (!signal.aborted) {
      await pause(RESYNC_MS);
      if (!signal.aborted) await sync();
    }
  };
  return { first, done: follow() };
}

/** One worker, until the queue is shut down. */
async function work(
  { log }: ControllerContext,
  queue: WorkQueue,
  slice: TimeSlice,
  attempt: Collector['attemptToDelete'],
  signal: AbortSignal,
): Promise<void> {
  for (let uid = await queue.get(); uid !== undefined; uid = await queue.get()) {
    if (slice.over) await slice.yield();
    if (!signal.aborted) settle(queue, uid, await outcomeOf(uid));
    queue.done(uid);
  }

  async function outcomeOf(uid: string): Promise<Outcome> {
    try {
      return await attempt(uid, signal);
    } catch (error) {
      if (!signal.aborted) log.debug('an object could not be collected; retrying', { controller: NAME, uid, error });
      return 'again';
    }
  }
}

function settle(queue: WorkQueue, uid: string, outcome: Outcome): void {
  if (outcome === 'again') queue.addRateLimited(uid);
  else if (outcome === 'done') queue.forget(uid);
}
