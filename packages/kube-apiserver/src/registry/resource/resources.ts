import type { ResourceDefinition } from '@orrery/apiserver';
import { deviceClassDefinition } from './deviceclass/resource.ts';
import { resourceClaimDefinition } from './resourceclaim/resource.ts';
import { resourceClaimTemplateDefinition } from './resourceclaimtemplate/resource.ts';
import { resourceSliceDefinition } from './resourceslice/resource.ts';

export const resourceResources: readonly ResourceDefinition[] = [
  deviceClassDefinition,
  resourceClaimDefinition,
  resourceClaimTemplateDefinition,
  resourceSliceDefinition,
];
