import type { ControllerDescriptor } from '@orrery/controller';
import type { ControllerContext } from './context.ts';
import { bootstrapSigner } from './controllers/bootstrap-signer/descriptor.ts';
import { certificateApprover } from './controllers/certificatesigningrequest/approver.ts';
import { certificateCleaner } from './controllers/certificatesigningrequest/cleaner.ts';
import { certificateSigner } from './controllers/certificatesigningrequest/signer.ts';
import { clusterRoleAggregationController } from './controllers/clusterrole-aggregation/descriptor.ts';
import { deploymentController } from './controllers/deployment/descriptor.ts';
import { endpointsController } from './controllers/endpoints/descriptor.ts';
import { endpointSliceController } from './controllers/endpointslice/descriptor.ts';
import { endpointSliceMirroringController } from './controllers/endpointslicemirroring/descriptor.ts';
import { ephemeralVolumeController } from './controllers/ephemeral-volume/descriptor.ts';
import { garbageCollector } from './controllers/garbage-collector/descriptor.ts';
import { jobController } from './controllers/job/descriptor.ts';
import { namespaceController } from './controllers/namespace/descriptor.ts';
import { nodeIpamController } from './controllers/node-ipam/descriptor.ts';
import { nodeLifecycleController } from './controllers/node-lifecycle/descriptor.ts';
import { persistentVolumeBinder, persistentVolumeReleaser } from './controllers/persistentvolume-binder/descriptor.ts';
import { podGarbageCollector } from './controllers/pod-garbage-collector/descriptor.ts';
import { replicaSetController } from './controllers/replicaset/descriptor.ts';
import { replicationController } from './controllers/replicationcontroller/descriptor.ts';
import { rootCaCertPublisher } from './controllers/root-ca-cert-publisher/descriptor.ts';
import { serviceAddressController } from './controllers/service-addresses/descriptor.ts';
import { serviceCidrController } from './controllers/service-cidrs/descriptor.ts';
import { serviceLbController } from './controllers/service-lb/descriptor.ts';
import { serviceAccountController } from './controllers/serviceaccount/descriptor.ts';
import { serviceAccountTokenController } from './controllers/serviceaccount-token/descriptor.ts';
import { taintEvictionController } from './controllers/taint-eviction/descriptor.ts';
import { tokenCleaner } from './controllers/token-cleaner/descriptor.ts';
import { ttlAfterFinishedController } from './controllers/ttl-after-finished/descriptor.ts';
import { claimProtection, volumeProtection } from './controllers/volume-protection/descriptor.ts';

/** Every built-in controller: the one line a new one adds. */
export const controllerDescriptors: readonly ControllerDescriptor<ControllerContext>[] = [
  bootstrapSigner,
  certificateApprover,
  certificateCleaner,
  certificateSigner,
  clusterRoleAggregationController,
  deploymentController,
  endpointsController,
  endpointSliceController,
  endpointSliceMirroringController,
  ephemeralVolumeController,
  garbageCollector,
  jobController,
  namespaceController,
  nodeIpamController,
  nodeLifecycleController,
  persistentVolumeBinder,
  persistentVolumeReleaser,
  podGarbageCollector,
  replicaSetController,
  replicationController,
  rootCaCertPublisher,
  serviceAccountController,
  serviceAddressController,
  serviceCidrController,
  serviceLbController,
  serviceAccountTokenController,
  taintEvictionController,
  tokenCleaner,
  ttlAfterFinishedController,
  claimProtection,
  volumeProtection,
];
