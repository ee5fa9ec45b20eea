import { replicationControllers } from '@orrery/api';
import type { ReplicationController, ReplicationControllerStatus } from '@orrery/api/core/v1';
import { selectorFromSet } from '@orrery/apimachinery';
import type { ControllerDescriptor } from '@orrery/controller';
import type { ControllerContext } from '../../context.ts';
import { newReplicaController } from '../replicas/replica-controller.ts';
import type { ReplicaOwner } from '../replicas/replica-owner.ts';

/** Keeps the number of pods that a ReplicationController asks for. */
export const replicationController: ControllerDescriptor<ControllerContext> = {
  name: 'replicationcontroller-controller',
  featureGates: [],
  create: (context) => newReplicaController('replicationcontroller-controller', owner, context),
};

const owner: ReplicaOwner<ReplicationController> = {
  resource: replicationControllers,
  component: 'replication-controller',
  replicas: ({ spec }) => spec.replicas ?? 1,
  minReadySeconds: ({ spec }) => spec.minReadySeconds ?? 0,
  template: ({ spec }) => spec.template ?? {},
  selector: ({ spec }) => selectorFromSet(spec.selector ?? {}),
  status: ({ status }) => status,
  withStatus: (object, status) => ({ ...object, status: status as ReplicationControllerStatus }),
  countsTerminating: false,
};
