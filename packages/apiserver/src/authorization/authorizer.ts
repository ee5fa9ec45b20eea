import { newForbidden, StatusError } from '@orrery/apimachinery';
import type { UserInfo } from '../definition.ts';

interface AttributesBase {
  readonly user: UserInfo;
  /** Kubernetes' verb for resources, the lower-case HTTP method for paths. */
  readonly verb: string;
}
export interface ResourceAttributes extends AttributesBase {
  readonly type: 'resource';
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  /** Empty: every namespace, or a cluster-scoped resource. */
  readonly namespace: string;
  /** Empty: every object. */
  readonly name: string;
}
export interface PathAttributes extends AttributesBase {
  readonly type: 'path';
  readonly path: string;
}
/** What somebody wants to do. */
export type Attributes = ResourceAttributes | PathAttributes;

/** `noOpinion` is a refusal unless another authorizer allows it. */
export interface Decision {
  readonly decision: 'allow' | 'deny' | 'noOpinion';
  /** Shown to the client. */
  readonly reason: string;
}

export interface ResourceRule {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
}
export interface PathRule {
  readonly verbs: readonly string[];
  readonly nonResourceURLs: readonly string[];
}
export interface RuleSet {
  readonly resourceRules: readonly ResourceRule[];
  readonly nonResourceRules: readonly PathRule[];
  /** Some rules could not be listed. */
  readonly incomplete: boolean;
  readonly evaluationError?: string;
}

/** Who may do what. */
export interface Authorizer {
  authorize(attributes: Attributes, signal: AbortSignal): Decision | Promise<Decision>;
  /** What a user may do in a namespace: for people and their tools, never for a decision. */
  rulesFor(user: UserInfo, namespace: string, signal: AbortSignal): RuleSet | Promise<RuleSet>;
}

/** The group that no rule limits. */
export const mastersGroup = 'system:masters';

const everything: RuleSet = {
  resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
  incomplete: false,
};
const nothing: RuleSet = { resourceRules: [], nonResourceRules: [], incomplete: false };

/** Members of `system:masters` may do everything; of others it has no opinion. */
export function newMastersAuthorizer(): Authorizer {
  return {
    authorize: ({ user }) =>
      user.groups.includes(mastersGroup) ? { decision: 'allow', reason: '' } : { decision: 'noOpinion', reason: '' },
    rulesFor: (user) => (user.groups.includes(mastersGroup) ? everything : nothing),
  };
}

/** The 403 for a refused request. Its text is upstream's: tools show it and people search for it. */
export function forbiddenError(attributes: Attributes, reason: string): StatusError {
  const tail = reason === '' ? '' : `: ${reason}`;
  const who = `User ${JSON.stringify(attributes.user.username)} cannot ${attributes.verb}`;
  if (attributes.type === 'path') {
    return new StatusError('Forbidden', `forbidden: ${who} path ${JSON.stringify(attributes.path)}${tail}`, {});
  }
  const { group, resource, subresource, namespace, name } = attributes;
  const what = `resource ${JSON.stringify(subresource === '' ? resource : `${resource}/${subresource}`)} in API group ${JSON.stringify(group)}`;
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`;
  return newForbidden({ group, resource }, name, `${who} ${what} ${where}${tail}`);
}
