import type { ResourceDefinition } from '@orrery/apiserver';
import { leaseDefinition } from './lease/resource.ts';

export const coordinationResources: readonly ResourceDefinition[] = [leaseDefinition];
