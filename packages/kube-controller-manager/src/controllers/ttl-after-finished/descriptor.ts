import { jobs } from '@orrery/api';
import { isConflict, isNotFound } from '@orrery/apimachinery';
import { type ControllerDescriptor, newController, type Reconciler } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';
import { expiresAtMs } from './expiry.ts';

/** Deletes jobs `ttlSecondsAfterFinished` after their end, with all that they own. Source: KEP-592. */
export const ttlAfterFinishedController: ControllerDescriptor<ControllerContext> = {
  name: 'ttl-after-finished-controller',
  featureGates: [],
  create(context) {
    const { clock, informers, log, metrics, config } = context;
    return newController({
      name: 'ttl-after-finished-controller',
      clock,
      informerFactory: informers,
      primary: jobs,
      workers: config.concurrentSyncs,
      predicate: {
        onAdd: (job) => expiresAtMs(job) !== undefined,
        onUpdate: (_, job) => expiresAtMs(job) !== undefined,
        onDelete: () => false,
      },
      reconciler: newReconciler(context),
      log,
      ...(metrics === undefined ? {} : { metrics }),
    });
  },
};

function newReconciler({ client, clock, informers }: ControllerContext): Reconciler {
  const { lister } = informers.informer(jobs);
  return {
    async reconcile(key, signal) {
      const cached = lister.get(key);
      const dueMs = cached === undefined ? undefined : expiresAtMs(cached);
      if (dueMs === undefined) return {};
      if (dueMs > clock.now()) return { requeueAfterMs: dueMs - clock.now() };
      try {
        // The cache may lag: somebody may just have given the job more time.
        const job = await client.get(jobs, key, { signal });
        const freshMs = expiresAtMs(job);
        if (freshMs === undefined) return {};
        if (freshMs > clock.now()) return { requeueAfterMs: freshMs - clock.now() };
        await client.delete(jobs, key, { propagationPolicy: 'Foreground', preconditions: { uid: job.metadata.uid }, signal });
      } catch (error) {
        if (!isNotFound(error) && !isConflict(error)) throw error; // Gone, or another one of the same name by now.
      }
      return {};
    },
  };
}
