import type { ClusterRoleBinding } from '@orrery/api/rbac/v1';
import { nameIsPathSegment } from '@orrery/apimachinery';
import type { ResourceDefinition } from '@orrery/apiserver';
import { bindingColumns } from '../binding-columns.ts';
import { defaultBinding, rbacGroup, validateBinding, validateRoleRefUpdate } from '../validation.ts';

const roleKinds = ['ClusterRole'];

export const clusterRoleBindingDefinition: ResourceDefinition<ClusterRoleBinding> = {
  group: rbacGroup,
  version: 'v1',
  kind: 'ClusterRoleBinding',
  resource: 'clusterrolebindings',
  singular: 'clusterrolebinding',
  namespaced: false,
  typeName: 'io.k8s.api.rbac.v1.ClusterRoleBinding',
  strategy: {
    allowCreateOnUpdate: true,
    validateName: nameIsPathSegment,
    default: defaultBinding,
    validate: (binding) => validateBinding(binding, roleKinds),
    validateUpdate: (binding, old) => [...validateBinding(binding, roleKinds), ...validateRoleRefUpdate(binding, old)],
  },
  columns: bindingColumns,
};
