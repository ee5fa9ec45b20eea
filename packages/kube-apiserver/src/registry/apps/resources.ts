import type { ResourceDefinition } from '@orrery/apiserver';
import { controllerRevisionDefinition } from './controllerrevision/resource.ts';
import { deploymentDefinition } from './deployment/resource.ts';
import { replicaSetDefinition } from './replicaset/resource.ts';

export const appsResources: readonly ResourceDefinition[] = [controllerRevisionDefinition, deploymentDefinition, replicaSetDefinition];
