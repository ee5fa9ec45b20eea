import type { PolicyRule } from '@orrery/api/rbac/v1';
import type { Attributes, PathAttributes, ResourceAttributes } from '@orrery/apiserver';

/** Whether a rule allows what is asked. Source: rbac.RuleAllows. */
export function ruleAllows(rule: PolicyRule, attributes: Attributes): boolean {
  return (
    hasOrAll(rule.verbs, attributes.verb) && (attributes.type === 'path' ? allowsPath(rule, attributes) : allowsResource(rule, attributes))
  );
}

const hasOrAll = (list: readonly string[] | undefined, value: string): boolean =>
  list !== undefined && (list.includes('*') || list.includes(value));

function allowsPath({ nonResourceURLs = [] }: PolicyRule, { path }: PathAttributes): boolean {
  return nonResourceURLs.some((pattern) => pathMatches(pattern, path));
}

/** A star at the end stands for everything. */
export function pathMatches(pattern: string, path: string): boolean {
  return pattern === '*' || pattern === path || (pattern.endsWith('*') && path.startsWith(pattern.replace(/\*+$/, '')));
}

function allowsResource(rule: PolicyRule, { group, resource, subresource, name }: ResourceAttributes): boolean {
  if (!hasOrAll(rule.apiGroups, group)) return false;
  const { resourceNames = [] } = rule;
  if (resourceNames.length > 0 && !resourceNames.includes(name)) return false;
  return resourceMatches(rule.resources, resource, subresource);
}

function resourceMatches(resources: readonly string[] = [], resource: string, subresource: string): boolean {
  const wanted = subresource === '' ? resource : `${resource}/${subresource}`;
  return resources.some((known) => known === '*' || known === wanted || (subresource !== '' && known === `*/${subresource}`));
}
