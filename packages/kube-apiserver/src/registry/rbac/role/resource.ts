import type { Role } from '@orrery/api/rbac/v1';
import { nameIsPathSegment } from '@orrery/apimachinery';
import type { ResourceDefinition } from '@orrery/apiserver';
import { createdAtColumn, nameColumn } from '../../../table/columns.ts';
import { each } from '../../validate.ts';
import { rbacGroup, validateRule } from '../validation.ts';

const validate = ({ rules }: Role) => each('rules', rules, (rule, field) => validateRule(rule, field, true));

export const roleDefinition: ResourceDefinition<Role> = {
  group: rbacGroup,
  version: 'v1',
  kind: 'Role',
  resource: 'roles',
  singular: 'role',
  namespaced: true,
  typeName: 'io.k8s.api.rbac.v1.Role',
  strategy: { allowCreateOnUpdate: true, validateName: nameIsPathSegment, validate, validateUpdate: validate },
  columns: [nameColumn, createdAtColumn],
};
