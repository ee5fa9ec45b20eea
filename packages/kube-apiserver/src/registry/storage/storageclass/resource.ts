import type { StorageClass } from '@orrery/api/storage/v1';
import { type FieldError, forbidden, isQualifiedName, notSupported, required } from '@orrery/apimachinery';
import type { ResourceDefinition, Strategy } from '@orrery/apiserver';
import { ageColumn, nameColumn } from '../../../table/columns.ts';
import { fill } from '../../defaulting.ts';
import { semanticEqual } from '../../semantic-equal.ts';
import { check, each, immutable } from '../../validate.ts';

/** Marks the class of claims that name none. */
export const defaultClassAnnotation = 'storageclass.kubernetes.io/is-default-class';
const betaDefaultClassAnnotation = 'storageclass.beta.kubernetes.io/is-default-class';
const PARAMETERS_MAX = 512;
const policies = ['Delete', 'Retain'];
const bindingModes = ['Immediate', 'WaitForFirstConsumer'];

export const isDefaultClass = ({ metadata }: StorageClass): boolean =>
  metadata.annotations?.[defaultClassAnnotation] === 'true' || metadata.annotations?.[betaDefaultClassAnnotation] === 'true';

/** Source: storage ValidateStorageClass. */
function validateStorageClass({
  provisioner = '',
  reclaimPolicy,
  volumeBindingMode,
  parameters = {},
  allowedTopologies,
}: StorageClass): FieldError[] {
  const errors = provisioner === '' ? [required('provisioner')] : check('provisioner', provisioner.toLowerCase(), isQualifiedName);
  if (Object.keys(parameters).length > PARAMETERS_MAX) errors.push(forbidden('parameters', `must have at most ${PARAMETERS_MAX} items`));
  if (Object.keys(parameters).some((key) => key === '')) errors.push(required('parameters', 'field can not be empty.'));
  if (reclaimPolicy !== undefined && !policies.includes(reclaimPolicy)) errors.push(notSupported('reclaimPolicy', reclaimPolicy, policies));
  if (volumeBindingMode === undefined) errors.push(required('volumeBindingMode'));
  else if (!bindingModes.includes(volumeBindingMode)) errors.push(notSupported('volumeBindingMode', volumeBindingMode, bindingModes));
  return [
    ...errors,
    ...each('allowedTopologies', allowedTopologies, ({ matchLabelExpressions }, field) =>
      each(`${field}.matchLabelExpressions`, matchLabelExpressions, ({ values = [] }, path) =>
        values.length === 0 ? [required(`${path}.values`)] : [],
      ),
    ),
  ];
}

const strategy: Strategy<StorageClass> = {
  returnsDeletedObject: true,
  generation: 'none',
  allowCreateOnUpdate: true,
  default(draft) {
    fill(draft, 'reclaimPolicy', 'Delete');
    fill(draft, 'volumeBindingMode', 'Immediate');
  },
  validate: validateStorageClass,
  validateUpdate(next, old) {
    const errors = validateStorageClass(next);
    if (!semanticEqual(next.parameters, old.parameters)) errors.push(forbidden('parameters', 'updates to parameters are forbidden.'));
    if (next.provisioner !== old.provisioner) errors.push(forbidden('provisioner', 'updates to provisioner are forbidden.'));
    if (next.reclaimPolicy !== old.reclaimPolicy) errors.push(forbidden('reclaimPolicy', 'updates to reclaimPolicy are forbidden.'));
    return [...errors, ...immutable('volumeBindingMode', next.volumeBindingMode, old.volumeBindingMode)];
  },
};

export const storageClassDefinition: ResourceDefinition<StorageClass> = {
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'StorageClass',
  resource: 'storageclasses',
  singular: 'storageclass',
  shortNames: ['sc'],
  namespaced: false,
  typeName: 'io.k8s.api.storage.v1.StorageClass',
  strategy,
  columns: [
    { ...nameColumn, cell: (item) => `${item.metadata.name ?? ''}${isDefaultClass(item as StorageClass) ? ' (default)' : ''}` },
    { name: 'Provisioner', description: 'Who makes volumes of it.', cell: ({ provisioner }) => provisioner },
    { name: 'ReclaimPolicy', description: 'What happens when a claim goes.', cell: ({ reclaimPolicy }) => reclaimPolicy ?? 'Delete' },
    {
      name: 'VolumeBindingMode',
      description: 'When claims get a volume.',
      cell: ({ volumeBindingMode }) => volumeBindingMode ?? '<unset>',
    },
    {
      name: 'AllowVolumeExpansion',
      type: 'string',
      description: 'Whether claims may grow.',
      cell: ({ allowVolumeExpansion }) => (allowVolumeExpansion === undefined ? '<unset>' : allowVolumeExpansion),
    },
    ageColumn,
  ],
};
