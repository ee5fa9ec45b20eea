import type { CSIDriver, CSIDriverSpec } from '@orrery/api/storage/v1';
import { duplicate, type FieldError, forbidden, invalid, nameIsDnsSubdomain, notSupported, required } from '@orrery/apimachinery';
import type { ResourceDefinition, Strategy } from '@orrery/apiserver';
import { ageColumn, nameColumn } from '../../../table/columns.ts';
import { ensure } from '../../defaulting.ts';
import { semanticEqual } from '../../semantic-equal.ts';
import { check, each, immutable } from '../../validate.ts';

const NAME_MAX = 63;
const groupPolicies = ['File', 'None', 'ReadWriteOnceWithFSType'];
const lifecycles = ['Ephemeral', 'Persistent'];
const TOKEN_SECONDS_MIN = 600;
const TOKEN_SECONDS_MAX = 2 ** 32;

/** Source: storage ValidateCSIDriverName. */
export function validateDriverName(name: string, field: string): FieldError[] {
  if (name === '') return [required(field)];
  const long = name.length > NAME_MAX ? [invalid(field, name, `must be no more than ${NAME_MAX} characters`)] : [];
  return [...long, ...check(field, name.toLowerCase(), (value) => nameIsDnsSubdomain(value, false))];
}

function validateSpec({ fsGroupPolicy, volumeLifecycleModes, tokenRequests }: CSIDriverSpec): FieldError[] {
  const audiences = new Set<string>();
  return [
    ...(fsGroupPolicy !== undefined && !groupPolicies.includes(fsGroupPolicy)
      ? [notSupported('spec.fsGroupPolicy', fsGroupPolicy, groupPolicies)]
      : []),
    ...each('spec.volumeLifecycleModes', volumeLifecycleModes, (mode, field) =>
      lifecycles.includes(mode) ? [] : [notSupported(field, mode, lifecycles)],
    ),
    ...each('spec.tokenRequests', tokenRequests, ({ audience = '', expirationSeconds: seconds }, field) => {
      const errors: FieldError[] = [];
      if (audiences.has(audience)) errors.push(duplicate(`${field}.audience`, audience));
      audiences.add(audience);
      if (seconds !== undefined && seconds < TOKEN_SECONDS_MIN) {
        errors.push(invalid(`${field}.expirationSeconds`, seconds, 'may not specify a duration less than 10 minutes'));
      }
      if (seconds !== undefined && seconds > TOKEN_SECONDS_MAX) {
        errors.push(invalid(`${field}.expirationSeconds`, seconds, 'may not specify a duration larger than 2^32 seconds'));
      }
      return errors;
    }),
  ];
}

const validate = ({ metadata, spec = {} }: CSIDriver): FieldError[] => [
  ...validateDriverName(metadata.name ?? '', 'metadata.name'),
  ...validateSpec(spec),
];

const strategy: Strategy<CSIDriver> = {
  returnsDeletedObject: true,
  default(draft) {
    const spec = ensure(draft, 'spec');
    spec.attachRequired ??= true;
    spec.podInfoOnMount ??= false;
    spec.storageCapacity ??= false;
    spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType';
    spec.requiresRepublish ??= false;
    spec.seLinuxMount ??= false;
    if ((spec.volumeLifecycleModes ?? []).length === 0) spec.volumeLifecycleModes = ['Persistent'];
  },
  validate,
  validateUpdate: (next, old) => [
    ...validate(next),
    ...immutable('spec.attachRequired', next.spec.attachRequired, old.spec.attachRequired),
    ...(semanticEqual(next.spec.volumeLifecycleModes, old.spec.volumeLifecycleModes)
      ? []
      : [forbidden('spec.volumeLifecycleModes', 'field is immutable')]),
  ],
};

export const csiDriverDefinition: ResourceDefinition<CSIDriver> = {
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIDriver',
  resource: 'csidrivers',
  singular: 'csidriver',
  namespaced: false,
  typeName: 'io.k8s.api.storage.v1.CSIDriver',
  strategy,
  columns: [
    nameColumn,
    {
      name: 'AttachRequired',
      type: 'boolean',
      description: 'Whether volumes are attached to nodes.',
      cell: ({ spec }) => spec.attachRequired ?? true,
    },
    {
      name: 'PodInfoOnMount',
      type: 'boolean',
      description: 'Whether it is told about pods.',
      cell: ({ spec }) => spec.podInfoOnMount ?? false,
    },
    {
      name: 'StorageCapacity',
      type: 'boolean',
      description: 'Whether the scheduler looks at its capacity.',
      cell: ({ spec }) => spec.storageCapacity ?? false,
    },
    {
      name: 'TokenRequests',
      description: 'Audiences of the tokens that it gets.',
      cell: ({ spec }) => (spec.tokenRequests ?? []).map(({ audience }) => audience).join(',') || '<unset>',
    },
    {
      name: 'RequiresRepublish',
      type: 'boolean',
      description: 'Whether it is called again.',
      cell: ({ spec }) => spec.requiresRepublish ?? false,
    },
    { name: 'Modes', description: 'Lives of its volumes.', cell: ({ spec }) => (spec.volumeLifecycleModes ?? []).join(',') || '<none>' },
    ageColumn,
  ],
};
