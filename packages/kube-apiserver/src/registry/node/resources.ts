import type { ResourceDefinition } from '@orrery/apiserver';
import { runtimeClassDefinition } from './runtimeclass/resource.ts';

export const nodeResources: readonly ResourceDefinition[] = [runtimeClassDefinition];
