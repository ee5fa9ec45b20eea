import type { PolicyRule } from '@orrery/api/rbac/v1';

/** The parts of `wanted` that no rule of `held` covers: one verb, group, resource and name each. Source: validation.Covers. */
export function missingRules(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): readonly PolicyRule[] {
  return wanted.flatMap(partsOf).filter((part) => !held.some((rule) => covers(rule, part)));
}

/** A rule as rules of one verb, one group, one resource and one name. */
function partsOf({ verbs = [], apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] }: PolicyRule): PolicyRule[] {
  const names = resourceNames.length === 0 ? [undefined] : resourceNames;
  const parts: PolicyRule[] = [];
  for (const verb of verbs) {
    for (const group of apiGroups) {
      for (const resource of resources) {
        for (const name of names) {
          parts.push({
            verbs: [verb],
            apiGroups: [group],
            resources: [resource],
            ...(name === undefined ? {} : { resourceNames: [name] }),
          });
        }
      }
    }
    for (const path of nonResourceURLs) parts.push({ verbs: [verb], nonResourceURLs: [path] });
  }
  return parts;
}

const hasAll = (held: readonly string[] = [], wanted: readonly string[] = []): boolean =>
  held.includes('*') || wanted.every((value) => held.includes(value));

function covers(held: PolicyRule, part: PolicyRule): boolean {
  if (!hasAll(held.verbs, part.verbs)) return false;
  if (part.nonResourceURLs !== undefined) {
    return part.nonResourceURLs.every((path) => (held.nonResourceURLs ?? []).some((pattern) => pathCovers(pattern, path)));
  }
  return hasAll(held.apiGroups, part.apiGroups) && coversResources(held, part) && coversNames(held, part);
}

function coversResources({ resources: held = [] }: PolicyRule, { resources = [] }: PolicyRule): boolean {
  if (held.includes('*')) return true;
  return resources.every((resource) => {
    const slash = resource.indexOf('/');
    return held.includes(resource) || (slash >= 0 && held.includes(`*${resource.slice(slash)}`));
  });
}

function coversNames({ resourceNames: held = [] }: PolicyRule, { resourceNames = [] }: PolicyRule): boolean {
  return held.length === 0 || (resourceNames.length > 0 && resourceNames.every((name) => held.includes(name)));
}

/** Of two patterns with a star at the end, the shorter covers. */
function pathCovers(held: string, path: string): boolean {
  return held === '*' || held === path || (held.endsWith('*') && path.startsWith(held.replace(/\*+$/, '')));
}

/** One line for each group and resource, with its verbs together. Source: CompactRules, CompactString. */
export function describeRules(rules: readonly PolicyRule[]): readonly string[] {
  const merged = new Map<string, PolicyRule>();
  for (const rule of rules) {
    const key = JSON.stringify([rule.apiGroups, rule.resources, rule.resourceNames, rule.nonResourceURLs]);
    const before = rule.nonResourceURLs === undefined ? merged.get(key) : undefined;
    const own = rule.nonResourceURLs === undefined ? key : `${key}${rule.verbs.join()}`;
    merged.set(own, before === undefined ? rule : { ...before, verbs: [...new Set([...before.verbs, ...rule.verbs])] });
  }
  return [...merged.values()].map(describe).sort();
}

/** As Go prints a list of quoted texts. */
export const quotedList = (texts: readonly string[]): string => `[${texts.map((text) => JSON.stringify(text)).join(' ')}]`;

function describe({ apiGroups, resources, nonResourceURLs, resourceNames, verbs }: PolicyRule): string {
  const parts: readonly (readonly [string, readonly string[] | undefined])[] = [
    ['APIGroups', apiGroups],
    ['Resources', resources],
    ['NonResourceURLs', nonResourceURLs],
    ['ResourceNames', resourceNames],
    ['Verbs', verbs],
  ];
  const shown = parts.filter(([, values]) => (values ?? []).length > 0).map(([name, values]) => `${name}:${quotedList(values ?? [])}`);
  return `{${shown.join(', ')}}`;
}
