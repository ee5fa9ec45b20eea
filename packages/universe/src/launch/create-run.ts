import { jobs } from '@orrery/api';
import type { Job } from '@orrery/api/batch/v1';
import { isAlreadyExists, isNotFound, isStatusError, type KubeObject, type NewObject } from '@orrery/apimachinery';
import type { Clock } from '@orrery/base';
import { type Client, newOwnerRef } from '@orrery/client';
import { LaunchProblem } from '../options/settings.ts';
import { runName } from '../plan/labels.ts';
import type { Plan } from '../plan/plan.ts';

/** A run while it is made and unmade. */
export interface CreatedRun {
  readonly root: Job;
  /** Monotonic time before the root was asked for. */
  readonly createdMs: number;
  /** Creates what belongs to the root. @throws {LaunchProblem} with what the cluster said. */
  fill(signal: AbortSignal): Promise<void>;
  /** Waits for what is under way, then deletes the root, exactly this one; the cluster takes the rest. */
  remove(): Promise<void>;
}

/** Creates the root of a run. @throws {LaunchProblem} with what the cluster said. */
export async function createRoot(client: Client, plan: Plan, clock: Clock): Promise<CreatedRun> {
  const createdMs = clock.monotonicMs();
  const root = await client.create(jobs, plan.root).catch((cause: unknown) => {
    throw problemOf(cause, 'jobs', runName(plan.run));
  });
  const { namespace, name, uid } = root.metadata;
  const owner = newOwnerRef(root, jobs);
  const underWay = new Set<Promise<unknown>>();

  const create = async (resource: (typeof plan.objects)[number]['resource'], object: NewObject<KubeObject>): Promise<void> => {
    const owned = { ...object, metadata: { ...object.metadata, ownerReferences: [owner] } };
    const creation = client.create(resource, owned);
    underWay.add(creation);
    try {
      await creation;
    } catch (cause) {
      if (!isAlreadyExists(cause)) throw problemOf(cause, resource.resource, `${object.metadata.name}`);
    } finally {
      underWay.delete(creation);
    }
  };

  return {
    root,
    createdMs,
    async fill(signal) {
      for (const { resource, object } of plan.objects) {
        signal.throwIfAborted();
        await create(resource, object);
      }
    },
    async remove() {
      await Promise.allSettled(underWay);
      await client
        .delete(jobs, { namespace, name }, { preconditions: { uid }, propagationPolicy: 'Background' })
        .catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
    },
  };
}

function problemOf(cause: unknown, resource: string, name: string): unknown {
  return isStatusError(cause) ? new LaunchProblem(`${resource} "${name}" cannot be created: ${cause.message}`, { cause }) : cause;
}
