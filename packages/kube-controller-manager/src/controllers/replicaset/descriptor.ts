import { pods, replicaSets } from '@orrery/api';
import type { ReplicaSet, ReplicaSetStatus } from '@orrery/api/apps/v1';
import { selectorFromLabelSelector } from '@orrery/apimachinery';
import { controllerRef } from '@orrery/client';
import type { ControllerDescriptor } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';
import { indexByOwner, ownerIndex, ownerKey } from '../replicas/owner-index.ts';
import { newReplicaController } from '../replicas/replica-controller.ts';
import type { ReplicaOwner } from '../replicas/replica-owner.ts';

/** Keeps the number of pods that a ReplicaSet asks for. */
export const replicaSetController: ControllerDescriptor<ControllerContext> = {
  name: 'replicaset-controller',
  featureGates: [],
  create: (context) => newReplicaController('replicaset-controller', replicaSetOwner(context), context),
};

function replicaSetOwner({ informers }: ControllerContext): ReplicaOwner<ReplicaSet> {
  const replicaSetsInformer = informers.informer(replicaSets, { indexers: { [ownerIndex]: indexByOwner } });
  const podsInformer = informers.informer(pods, { indexers: { [ownerIndex]: indexByOwner } });
  return {
    resource: replicaSets,
    component: 'replicaset-controller',
    replicas: ({ spec }) => spec.replicas ?? 1,
    minReadySeconds: ({ spec }) => spec.minReadySeconds ?? 0,
    template: ({ spec }) => spec.template ?? {},
    selector: ({ spec }) => selectorFromLabelSelector(spec.selector),
    status: ({ status }) => status,
    withStatus: (owner, status) => ({ ...owner, status: status as ReplicaSetStatus }),
    countsTerminating: true,
    // Pods of the deployment's other replica sets count as company on a node: a rollout thins out crowded nodes first.
    related(owner) {
      const namespace = owner.metadata.namespace ?? '';
      const uid = controllerRef(owner)?.uid;
      const siblings = uid === undefined ? [owner] : replicaSetsInformer.lister.byIndex(ownerIndex, ownerKey(namespace, uid));
      return siblings.flatMap(({ metadata }) => podsInformer.lister.byIndex(ownerIndex, ownerKey(namespace, metadata.uid)));
    },
  };
}
