import type { PolicyRule } from '@orrery/api/rbac/v1';

/**
 * Rules as lines of `verbs groups resources [names]`, each a list with commas; `-` is the core group. Paths: `verbs url paths`.
 * `rw` stands for create, delete, deletecollection, patch and update; `ro` for get, list and watch; `events` for a rule that writes events.
 */
export function parseRules(text: string): readonly PolicyRule[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map(parseRule);
}

const abbreviations: Readonly<Record<string, readonly string[]>> = {
  rw: ['create', 'delete', 'deletecollection', 'patch', 'update'],
  ro: ['get', 'list', 'watch'],
};

function parseRule(line: string): PolicyRule {
  if (line === 'events') return { verbs: ['create', 'patch', 'update'], apiGroups: ['', 'events.k8s.io'], resources: ['events'] };
  const [verbTexts = '', groups = '', resources = '', names] = line.split(/ +/);
  const verbs = verbTexts.split(',').flatMap((verb) => abbreviations[verb] ?? [verb]);
  if (groups === 'url') return { verbs, nonResourceURLs: resources.split(',') };
  return {
    verbs,
    apiGroups: groups.split(',').map((group) => (group === '-' ? '' : group)),
    resources: resources.split(','),
    ...(names === undefined ? {} : { resourceNames: names.split(',') }),
  };
}
