import type { ResourceDefinition } from '@orrery/apiserver';
import { endpointSliceDefinition } from './endpointslice/resource.ts';

export const discoveryResources: readonly ResourceDefinition[] = [endpointSliceDefinition];
