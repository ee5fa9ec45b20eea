import { jobs as jobResource, pods as podResource } from '@orrery/api';
import { newItemRateLimiter } from '@orrery/client';
import { type ControllerDescriptor, newController, newExpectations, newObjectControl, runAll } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';
import { indexByOwner, ownerIndex } from '../replicas/owner-index.ts';
import type { JobDeps, JobMemory } from './job-deps.ts';
import { reconcileJob } from './job-reconciler.ts';
import { newOrphanPodController } from './orphan-pods.ts';
import { newPodObserver } from './pod-observer.ts';

/** Runs pods until enough of them have succeeded. */
export const jobController: ControllerDescriptor<ControllerContext> = {
  name: 'job-controller',
  featureGates: [],
  create(context) {
    const { client, clock, informers, log, metrics, config } = context;
    const podInformer = informers.informer(podResource, { indexers: { [ownerIndex]: indexByOwner } });
    const jobs = informers.informer(jobResource).lister;
    const recorder = context.recorderFor('job-controller');
    const memory: JobMemory = { expectations: newExpectations({ clock }), released: new Map(), backoff: new Map(), written: new Map() };
    const control = newObjectControl({ client, resource: podResource, owner: jobResource, recorder });
    const deps: JobDeps = { context, jobs, pods: podInformer.lister, control, recorder, memory };
    const controller = newController({
      name: 'job-controller',
      clock,
      informerFactory: informers,
      primary: jobResource,
      owns: [podResource],
      reads: [podInformer],
      workers: config.concurrentSyncs,
      reconciler: { reconcile: (key, signal) => reconcileJob(deps, key, signal) },
      rateLimiter: newItemRateLimiter({ baseDelayMs: 1000, maxDelayMs: 60_000 }),
      log,
      ...(metrics === undefined ? {} : { metrics }),
    });
    const orphans = newOrphanPodController(context);
    return {
      async run(signal) {
        const observer = podInformer.addHandler(newPodObserver(jobs, memory, (key) => controller.enqueue(key)));
        try {
          await runAll([controller, orphans], signal);
        } finally {
          observer.remove();
        }
      },
    };
  },
};
