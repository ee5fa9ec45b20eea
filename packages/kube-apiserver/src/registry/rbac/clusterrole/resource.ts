import type { ClusterRole } from '@orrery/api/rbac/v1';
import { type FieldError, nameIsPathSegment, required } from '@orrery/apimachinery';
import type { ResourceDefinition } from '@orrery/apiserver';
import { createdAtColumn, nameColumn } from '../../../table/columns.ts';
import { each } from '../../validate.ts';
import { rbacGroup, validateRule } from '../validation.ts';

function validate({ rules, aggregationRule }: ClusterRole): FieldError[] {
  const errors = each('rules', rules, (rule, field) => validateRule(rule, field, false));
  if (aggregationRule !== undefined && (aggregationRule.clusterRoleSelectors ?? []).length === 0) {
    const detail = 'at least one clusterRoleSelector required if aggregationRule is non-nil';
    errors.push(required('aggregationRule.clusterRoleSelectors', detail));
  }
  return errors;
}

export const clusterRoleDefinition: ResourceDefinition<ClusterRole> = {
  group: rbacGroup,
  version: 'v1',
  kind: 'ClusterRole',
  resource: 'clusterroles',
  singular: 'clusterrole',
  namespaced: false,
  typeName: 'io.k8s.api.rbac.v1.ClusterRole',
  strategy: { allowCreateOnUpdate: true, validateName: nameIsPathSegment, validate, validateUpdate: validate },
  columns: [nameColumn, createdAtColumn],
};
