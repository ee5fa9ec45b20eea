import type { RoleBinding } from '@orrery/api/rbac/v1';
import { nameIsPathSegment } from '@orrery/apimachinery';
import type { ResourceDefinition } from '@orrery/apiserver';
import { bindingColumns } from '../binding-columns.ts';
import { defaultBinding, rbacGroup, validateBinding, validateRoleRefUpdate } from '../validation.ts';

const roleKinds = ['Role', 'ClusterRole'];

export const roleBindingDefinition: ResourceDefinition<RoleBinding> = {
  group: rbacGroup,
  version: 'v1',
  kind: 'RoleBinding',
  resource: 'rolebindings',
  singular: 'rolebinding',
  namespaced: true,
  typeName: 'io.k8s.api.rbac.v1.RoleBinding',
  strategy: {
    allowCreateOnUpdate: true,
    validateName: nameIsPathSegment,
    default: defaultBinding,
    validate: (binding) => validateBinding(binding, roleKinds),
    validateUpdate: (binding, old) => [...validateBinding(binding, roleKinds), ...validateRoleRefUpdate(binding, old)],
  },
  columns: bindingColumns,
};
