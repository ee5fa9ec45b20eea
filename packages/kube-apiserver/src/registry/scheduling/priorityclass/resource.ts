import type { PriorityClass } from '@orrery/api/scheduling/v1';
import { type FieldError, forbidden, invalid, notSupported } from '@orrery/apimachinery';
import type { ResourceDefinition, Strategy } from '@orrery/apiserver';
import { ageColumn, nameColumn } from '../../../table/columns.ts';
import { fill } from '../../defaulting.ts';
import { immutable } from '../../validate.ts';

/** The largest value that users may give; the system's own are above it. */
export const USER_PRIORITY_MAX = 1_000_000_000;
const SYSTEM_PREFIX = 'system-';

/** The classes that exist at start: name and value. */
export const systemPriorityClasses: readonly { readonly name: string; readonly value: number; readonly description: string }[] = [
  {
    name: 'system-node-critical',
    value: 2_000_001_000,
    description: 'Used for system critical pods that must not be moved from their current node.',
  },
  {
    name: 'system-cluster-critical',
    value: 2_000_000_000,
    description: 'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
  },
];

const strategy: Strategy<PriorityClass> = {
  generationOf: () => 0, // 1 for ever, as upstream.
  allowCreateOnUpdate: true,
  default: (draft) => fill(draft, 'preemptionPolicy', 'PreemptLowerPriority'),
  validate: validatePriorityClass,
  validateUpdate: (next, old) => [
    ...(next.value === old.value ? [] : [forbidden('value', 'may not be changed in an update.')]),
    ...immutable('preemptionPolicy', next.preemptionPolicy, old.preemptionPolicy),
  ],
};

function validatePriorityClass({ metadata, value = 0, globalDefault, preemptionPolicy }: PriorityClass): FieldError[] {
  const errors: FieldError[] = [];
  const name = metadata.name ?? '';
  if (name.startsWith(SYSTEM_PREFIX)) {
    const known = systemPriorityClasses.find((candidate) => candidate.name === name);
    const problem =
      known === undefined
        ? `not a known system priority class`
        : known.value !== value
          ? `value of ${name} PriorityClass must be ${known.value}`
          : globalDefault === true
            ? `globalDefault of ${name} PriorityClass must be false`
            : undefined;
    if (problem !== undefined) {
      errors.push(
        forbidden(
          'metadata.name',
          `priority class names with '${SYSTEM_PREFIX}' prefix are reserved for system use only. error: ${problem}`,
        ),
      );
    }
  } else if (value > USER_PRIORITY_MAX) {
    errors.push(forbidden('value', `maximum allowed value of a user defined priority is ${USER_PRIORITY_MAX}`));
  }
  if (preemptionPolicy !== undefined && preemptionPolicy !== 'PreemptLowerPriority' && preemptionPolicy !== 'Never') {
    errors.push(notSupported('preemptionPolicy', preemptionPolicy, ['PreemptLowerPriority', 'Never']));
  }
  if (!Number.isInteger(value)) errors.push(invalid('value', value, 'must be an integer'));
  return errors;
}

export const priorityClassDefinition: ResourceDefinition<PriorityClass> = {
  group: 'scheduling.k8s.io',
  version: 'v1',
  kind: 'PriorityClass',
  resource: 'priorityclasses',
  singular: 'priorityclass',
  shortNames: ['pc'],
  namespaced: false,
  typeName: 'io.k8s.api.scheduling.v1.PriorityClass',
  strategy,
  columns: [
    nameColumn,
    { name: 'Value', type: 'integer', description: 'Priority of the pods.', cell: ({ value }) => value ?? 0 },
    {
      name: 'Global-Default',
      type: 'boolean',
      description: 'Whether pods without a class get this one.',
      cell: ({ globalDefault }) => globalDefault === true,
    },
    ageColumn,
    {
      name: 'PreemptionPolicy',
      description: 'Whether its pods may preempt others.',
      cell: ({ preemptionPolicy }) => preemptionPolicy ?? '',
    },
  ],
};
