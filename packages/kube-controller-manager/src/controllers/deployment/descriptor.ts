import { deployments, pods, replicaSets } from '@orrery/api';
import { type ControllerDescriptor, newController, newObjectControl, watchOf } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';
import { indexByOwner, ownerIndex } from '../replicas/owner-index.ts';
import { type DeploymentDeps, reconcileDeployment, recreatingDeployment } from './deployment-reconciler.ts';

/** Rolls deployments out: one replica set for each template, sized step by step. */
export const deploymentController: ControllerDescriptor<ControllerContext> = {
  name: 'deployment-controller',
  featureGates: [],
  create(context) {
    const { client, clock, informers, log, metrics, config } = context;
    const sets = informers.informer(replicaSets, { indexers: { [ownerIndex]: indexByOwner } });
    const podsInformer = informers.informer(pods, { indexers: { [ownerIndex]: indexByOwner } });
    const deps: DeploymentDeps = {
      context,
      deployments: informers.informer(deployments).lister,
      replicaSets: sets.lister,
      pods: podsInformer.lister,
      control: newObjectControl({ client, resource: replicaSets, owner: deployments }),
      recorder: context.recorderFor('deployment-controller'),
    };
    return newController({
      name: 'deployment-controller',
      clock,
      informerFactory: informers,
      primary: deployments,
      owns: [replicaSets],
      watches: [
        watchOf({
          resource: pods,
          mapToKeys: (pod) => recreatingDeployment(deps, pod),
          predicate: { onAdd: () => false, onUpdate: () => false },
        }),
      ],
      reads: [sets, podsInformer],
      workers: config.concurrentSyncs,
      reconciler: { reconcile: (key, signal) => reconcileDeployment(deps, key, signal) },
      log,
      ...(metrics === undefined ? {} : { metrics }),
    });
  },
};
