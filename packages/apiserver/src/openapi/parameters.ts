import type { Doc } from './source.ts';

/** A parameter of an operation, in the words both versions of OpenAPI share. */
export interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'path';
  readonly type: 'string' | 'integer' | 'boolean';
  readonly description: string;
  readonly required?: boolean;
}

const query = (name: string, type: Parameter['type'], description: string): Parameter => ({ name, in: 'query', type, description });

const dryRun = query('dryRun', 'string', 'With "All" the request goes through all stages but nothing is stored.');
const fieldManager = query('fieldManager', 'string', 'Who makes the change, at most 128 printable characters; required for apply patches.');
const fieldValidation = query(
  'fieldValidation',
  'string',
  'What to do with unknown and duplicate fields: Ignore drops them, Warn (the default) drops them and warns, Strict refuses the request.',
);
const force = query('force', 'boolean', 'Apply patches only: take over fields that other managers own.');

const listParameters: readonly Parameter[] = [
  query('allowWatchBookmarks', 'boolean', 'Ask a watch for BOOKMARK events, which carry a resource version only.'),
  query('continue', 'string', 'Token of the previous part of a list, to get the next.'),
  query('fieldSelector', 'string', 'Restricts the objects by their fields.'),
  query('labelSelector', 'string', 'Restricts the objects by their labels.'),
  query('limit', 'integer', 'Largest number of objects in one answer.'),
  query('resourceVersion', 'string', 'Version the answer must be of, as resourceVersionMatch says.'),
  query('resourceVersionMatch', 'string', 'How resourceVersion is meant: Exact or NotOlderThan.'),
  query('sendInitialEvents', 'boolean', 'Let a watch begin with the present objects and a bookmark after them.'),
  query('timeoutSeconds', 'integer', 'Seconds after which a list or watch ends.'),
  query('watch', 'boolean', 'Follow changes instead of returning a list.'),
];

const deleteParameters: readonly Parameter[] = [
  dryRun,
  query('gracePeriodSeconds', 'integer', 'Seconds the object gets to end by itself; zero is at once.'),
  query(
    'ignoreStoreReadErrorWithClusterBreakingPotential',
    'boolean',
    'Delete an object that cannot be read, without any of the usual steps of a deletion.',
  ),
  query('orphanDependents', 'boolean', 'Deprecated: use propagationPolicy.'),
  query('propagationPolicy', 'string', 'What happens to dependents: Orphan, Background or Foreground.'),
];

const byName = (parameters: readonly Parameter[]): readonly Parameter[] =>
  [...new Map(parameters.map((parameter) => [parameter.name, parameter])).values()].sort((a, b) => (a.name < b.name ? -1 : 1));

/** Query parameters by action. */
export const queryParameters = {
  none: [],
  list: listParameters,
  post: [dryRun, fieldManager, fieldValidation],
  put: [dryRun, fieldManager, fieldValidation],
  patch: [dryRun, fieldManager, fieldValidation, force],
  delete: deleteParameters,
  deletecollection: byName([...deleteParameters, ...listParameters.filter(({ name }) => !['allowWatchBookmarks', 'watch'].includes(name))]),
} as const satisfies Record<string, readonly Parameter[]>;

export const prettyParameter = query('pretty', 'string', 'Indent the answer; the default for browsers and command-line tools.');
export const namespaceParameter: Parameter = {
  name: 'namespace',
  in: 'path',
  type: 'string',
  description: 'Namespace of the object.',
  required: true,
};
export const nameParameter = (kind: string): Parameter => ({
  name: 'name',
  in: 'path',
  type: 'string',
  description: `name of the ${kind}`,
  required: true,
});
export const restParameter: Parameter = { name: 'path', in: 'path', type: 'string', description: 'Path below the target.', required: true };

export function parameterV2({ name, in: place, type, description, required }: Parameter): Doc {
  return { description, in: place, name, ...(required === true ? { required } : {}), type, uniqueItems: true };
}

export function parameterV3({ name, in: place, type, description, required }: Parameter): Doc {
  return { description, in: place, name, ...(required === true ? { required } : {}), schema: { type, uniqueItems: true } };
}
