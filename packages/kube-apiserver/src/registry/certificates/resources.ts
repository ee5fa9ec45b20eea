import type { ResourceDefinition } from '@orrery/apiserver';
import { certificateSigningRequestDefinition } from './certificatesigningrequest/resource.ts';

export const certificatesResources: readonly ResourceDefinition[] = [certificateSigningRequestDefinition];
