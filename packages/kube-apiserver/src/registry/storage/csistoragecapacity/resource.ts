import type { CSIStorageCapacity } from '@orrery/api/storage/v1';
import { compareQuantity, type FieldError, invalid, nameIsDnsSubdomain, required, validateLabelSelector } from '@orrery/apimachinery';
import type { ResourceDefinition, Strategy } from '@orrery/apiserver';
import { ageColumn, nameColumn } from '../../../table/columns.ts';
import { check, immutable } from '../../validate.ts';

const notNegative = (field: string, amount: string | undefined): FieldError[] =>
  amount !== undefined && compareQuantity(amount, '0') < 0 ? [invalid(field, amount, 'must be greater than or equal to 0')] : [];

/** Source: storage ValidateCSIStorageCapacity. */
const validate = ({ storageClassName = '', nodeTopology, capacity, maximumVolumeSize }: CSIStorageCapacity): FieldError[] => [
  ...(nodeTopology === undefined ? [] : validateLabelSelector(nodeTopology, 'nodeTopology')),
  ...(storageClassName === ''
    ? [required('storageClassName')]
    : check('storageClassName', storageClassName, (name) => nameIsDnsSubdomain(name, false))),
  ...notNegative('capacity', capacity),
  ...notNegative('maximumVolumeSize', maximumVolumeSize),
];

const strategy: Strategy<CSIStorageCapacity> = {
  generation: 'none',
  validate,
  validateUpdate: (next, old) => [
    ...validate(next),
    ...immutable('nodeTopology', next.nodeTopology, old.nodeTopology),
    ...immutable('storageClassName', next.storageClassName, old.storageClassName),
  ],
};

export const csiStorageCapacityDefinition: ResourceDefinition<CSIStorageCapacity> = {
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIStorageCapacity',
  resource: 'csistoragecapacities',
  singular: 'csistoragecapacity',
  namespaced: true,
  typeName: 'io.k8s.api.storage.v1.CSIStorageCapacity',
  strategy,
  columns: [
    nameColumn,
    { name: 'StorageClassName', description: 'The class that it is about.', cell: ({ storageClassName }) => storageClassName },
    { name: 'Capacity', description: 'What is left.', cell: ({ capacity }) => capacity ?? '' },
    ageColumn,
  ],
};
