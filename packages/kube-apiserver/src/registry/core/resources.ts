import type { ResourceDefinition } from '@orrery/apiserver';
import { configMapDefinition } from './configmap/resource.ts';
import { endpointsDefinition } from './endpoints/resource.ts';
import { eventDefinition } from './event/resource.ts';
import { limitRangeDefinition } from './limitrange/resource.ts';
import { namespaceDefinition } from './namespace/resource.ts';
import { nodeDefinition } from './node/resource.ts';
import { persistentVolumeDefinition } from './persistentvolume/resource.ts';
import { persistentVolumeClaimDefinition } from './persistentvolumeclaim/resource.ts';
import { podDefinition } from './pod/resource.ts';
import { podTemplateDefinition } from './podtemplate/resource.ts';
import { replicationControllerDefinition } from './replicationcontroller/resource.ts';
import { resourceQuotaDefinition } from './resourcequota/resource.ts';
import { secretDefinition } from './secret/resource.ts';
import { serviceDefinition } from './service/resource.ts';
import { serviceAccountDefinition } from './serviceaccount/resource.ts';

/** Kinds of the core group. */
export const coreResources: readonly ResourceDefinition[] = [
  configMapDefinition,
  endpointsDefinition,
  eventDefinition,
  limitRangeDefinition,
  namespaceDefinition,
  nodeDefinition,
  persistentVolumeDefinition,
  persistentVolumeClaimDefinition,
  podDefinition,
  podTemplateDefinition,
  replicationControllerDefinition,
  resourceQuotaDefinition,
  secretDefinition,
  serviceAccountDefinition,
  serviceDefinition,
];
