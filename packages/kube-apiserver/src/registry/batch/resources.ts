import type { ResourceDefinition } from '@orrery/apiserver';
import { jobDefinition } from './job/resource.ts';

export const batchResources: readonly ResourceDefinition[] = [jobDefinition];
