import type { ResourceDefinition } from '@orrery/apiserver';
import { clusterRoleDefinition } from './clusterrole/resource.ts';
import { clusterRoleBindingDefinition } from './clusterrolebinding/resource.ts';
import { roleDefinition } from './role/resource.ts';
import { roleBindingDefinition } from './rolebinding/resource.ts';

export const rbacResources: readonly ResourceDefinition[] = [
  clusterRoleBindingDefinition,
  clusterRoleDefinition,
  roleBindingDefinition,
  roleDefinition,
];
