import type { ResourceDefinition } from '@orrery/apiserver';
import { appsResources } from './apps/resources.ts';
import { batchResources } from './batch/resources.ts';
import { certificatesResources } from './certificates/resources.ts';
import { coordinationResources } from './coordination/resources.ts';
import { coreResources } from './core/resources.ts';
import { discoveryResources } from './discovery/resources.ts';
import { eventsResources } from './events/resources.ts';
import { withFinalizerNames } from './finalizer-names.ts';
import { networkingResources } from './networking/resources.ts';
import { nodeResources } from './node/resources.ts';
import { rbacResources } from './rbac/resources.ts';
import { resourceResources } from './resource/resources.ts';
import { schedulingResources } from './scheduling/resources.ts';
import { storageResources } from './storage/resources.ts';

/** Every kind that the API server serves from the start. */
export const resources: readonly ResourceDefinition[] = [
  ...coreResources,
  ...appsResources,
  ...batchResources,
  ...certificatesResources,
  ...coordinationResources,
  ...discoveryResources,
  ...eventsResources,
  ...networkingResources,
  ...nodeResources,
  ...rbacResources,
  ...resourceResources,
  ...schedulingResources,
  ...storageResources,
].map(withFinalizerNames);
