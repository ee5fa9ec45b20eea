import type { ClusterRole, PolicyRule, RoleBinding, RoleRef } from '@orrery/api/rbac/v1';
import { equalJson, type KubeObject, newForbidden, newNotFound } from '@orrery/apimachinery';
import { type AdmissionAttributes, type AdmissionPlugin, type Authorizer, mastersGroup, type UserInfo } from '@orrery/apiserver';
import type { RbacRules } from '../../authorization/rbac/rbac-rules.ts';
import { describeRules, missingRules, quotedList } from '../../authorization/rbac/rule-cover.ts';
import { rbacGroup } from '../../registry/rbac/validation.ts';

const everything: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];
const never = new AbortController().signal;

/** Nobody gives away what he has not, unless the rules let him `escalate` or `bind`. Source: the policy-based storage of RBAC. */
export function newRbacEscalation(rbac: RbacRules, authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'RBACEscalation',
    async validate(object, attributes) {
      const { definition, operation, subresource, user, old } = attributes;
      if (definition.group !== rbacGroup || subresource !== '' || object === undefined || operation === 'DELETE') return;
      if (user.groups.includes(mastersGroup)) return;
      if (definition.kind.endsWith('Binding')) await checkBinding(rbac, authorizer, object as RoleBinding, attributes);
      else if (!sameRules(object as ClusterRole, old as ClusterRole | undefined))
        await checkRole(rbac, authorizer, object as ClusterRole, attributes);
    },
  };
}

const sameRules = (role: ClusterRole, old: ClusterRole | undefined): boolean =>
  old !== undefined &&
  equalJson((role.rules ?? []) as never, (old.rules ?? []) as never) &&
  equalJson((role.aggregationRule ?? null) as never, (old.aggregationRule ?? null) as never);

async function may(
  authorizer: Authorizer,
  { definition, user }: AdmissionAttributes,
  verb: string,
  resource: string,
  namespace: string,
  name: string,
): Promise<boolean> {
  const { group, version } = definition;
  const { decision } = await authorizer.authorize(
    { type: 'resource', user, verb, group, version, resource, subresource: '', namespace, name },
    never,
  );
  return decision === 'allow';
}

async function checkRole(rbac: RbacRules, authorizer: Authorizer, role: ClusterRole, attributes: AdmissionAttributes): Promise<void> {
  const { definition, namespace = '' } = attributes;
  if (await may(authorizer, attributes, 'escalate', definition.resource, namespace, role.metadata.name)) return;
  confirm(rbac, role.rules ?? [], role, attributes);
  const old = attributes.old as ClusterRole | undefined;
  if (role.aggregationRule === undefined && old?.aggregationRule === undefined) return;
  if (missing(rbac, attributes.user, '', everything).length > 0) {
    throw refuse(role, attributes, 'must have cluster-admin privileges to use the aggregationRule');
  }
}

async function checkBinding(rbac: RbacRules, authorizer: Authorizer, binding: RoleBinding, attributes: AdmissionAttributes): Promise<void> {
  const { old, namespace = '' } = attributes;
  const { roleRef, subjects = [] } = binding;
  const before = old as RoleBinding | undefined;
  if (before !== undefined && equalJson(subjects as never, (before.subjects ?? []) as never)) return;
  const resource = roleRef.kind === 'ClusterRole' ? 'clusterroles' : 'roles';
  if (await may(authorizer, attributes, 'bind', resource, namespace, roleRef.name)) return;
  confirm(rbac, rulesFor(rbac, roleRef, namespace), binding, attributes);
}

function rulesFor(rbac: RbacRules, roleRef: RoleRef, namespace: string): readonly PolicyRule[] {
  const rules = rbac.rulesOf(roleRef, namespace);
  if (rules === undefined) throw newNotFound({ group: rbacGroup, resource: `${roleRef.kind.toLowerCase()}s` }, roleRef.name);
  return rules;
}

function missing(rbac: RbacRules, user: UserInfo, namespace: string, wanted: readonly PolicyRule[]): readonly PolicyRule[] {
  const held = [...rbac.bindingsOf(user, namespace)].flatMap(({ rules }) => rules ?? []);
  return missingRules(held, wanted);
}

function confirm(rbac: RbacRules, wanted: readonly PolicyRule[], object: KubeObject, attributes: AdmissionAttributes): void {
  const { user, namespace = '' } = attributes;
  const lacking = missing(rbac, user, namespace, wanted);
  if (lacking.length === 0) return;
  const who = `user ${JSON.stringify(user.username)} (groups=${quotedList(user.groups)})`;
  throw refuse(
    object,
    attributes,
    `${who} is attempting to grant RBAC permissions not currently held:\n${describeRules(lacking).join('\n')}`,
  );
}

function refuse({ metadata }: KubeObject, { definition }: AdmissionAttributes, detail: string): Error {
  return newForbidden({ group: definition.group, resource: definition.resource }, metadata.name, detail);
}
