import type { ResourceDefinition } from '@orrery/apiserver';
import { priorityClassDefinition } from './priorityclass/resource.ts';

export const schedulingResources: readonly ResourceDefinition[] = [priorityClassDefinition];
