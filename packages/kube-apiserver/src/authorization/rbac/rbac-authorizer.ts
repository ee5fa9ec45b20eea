import type { ClusterRoleBinding, RoleBinding, RoleRef } from '@orrery/api/rbac/v1';
import type { Attributes, Authorizer, Decision, PathRule, ResourceRule, RuleSet, UserInfo } from '@orrery/apiserver';
import { describeSubjectOf, type RbacRules } from './rbac-rules.ts';
import { ruleAllows } from './rule-match.ts';

/** Allows what a rule of a bound role allows; never denies. Source: plugin/pkg/auth/authorizer/rbac. */
export function newRbacAuthorizer(rbac: RbacRules): Authorizer {
  return {
    authorize: (attributes) => decide(rbac, attributes),
    rulesFor: (user, namespace) => ruleSet(rbac, user, namespace),
  };
}

function decide(rbac: RbacRules, attributes: Attributes): Decision {
  const { user } = attributes;
  const missing: string[] = [];
  for (const { binding, rules } of rbac.bindingsOf(user, attributes.type === 'resource' ? attributes.namespace : '')) {
    if (rules === undefined) missing.push(missingRole(binding.roleRef));
    else if (rules.some((rule) => ruleAllows(rule, attributes))) {
      return { decision: 'allow', reason: `RBAC: allowed by ${describeBinding(binding)} to ${describeSubjectOf(binding, user)}` };
    }
  }
  return { decision: 'noOpinion', reason: missing.length === 0 ? '' : `RBAC: ${listed(missing)}` };
}

export const missingRole = ({ kind, name }: RoleRef): string =>
  `${kind.toLowerCase()}.rbac.authorization.k8s.io ${JSON.stringify(name)} not found`;

const listed = (errors: readonly string[]): string => (errors.length === 1 ? (errors[0] ?? '') : `[${errors.join(', ')}]`);

function describeBinding({ metadata, roleRef }: ClusterRoleBinding | RoleBinding): string {
  const { name, namespace } = metadata;
  const binding =
    namespace === undefined ? `ClusterRoleBinding ${JSON.stringify(name)}` : `RoleBinding ${JSON.stringify(`${name}/${namespace}`)}`;
  return `${binding} of ${roleRef.kind} ${JSON.stringify(roleRef.name)}`;
}

function ruleSet(rbac: RbacRules, user: UserInfo, namespace: string): RuleSet {
  const resourceRules: ResourceRule[] = [];
  const nonResourceRules: PathRule[] = [];
  const missing: string[] = [];
  for (const { binding, rules } of rbac.bindingsOf(user, namespace)) {
    if (rules === undefined) missing.push(missingRole(binding.roleRef));
    for (const { verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } of rules ?? []) {
      if (nonResourceURLs.length > 0) nonResourceRules.push({ verbs, nonResourceURLs });
      else resourceRules.push({ verbs, apiGroups, resources, ...(resourceNames.length === 0 ? {} : { resourceNames }) });
    }
  }
  return {
    resourceRules,
    nonResourceRules,
    incomplete: missing.length > 0,
    ...(missing.length === 0 ? {} : { evaluationError: listed(missing) }),
  };
}
