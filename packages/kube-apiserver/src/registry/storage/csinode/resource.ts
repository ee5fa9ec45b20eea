import type { CSINode, CSINodeDriver } from '@orrery/api/storage/v1';
import { duplicate, type FieldError, invalid, isQualifiedName, required } from '@orrery/apimachinery';
import type { ResourceDefinition, Strategy } from '@orrery/apiserver';
import { ageColumn, nameColumn } from '../../../table/columns.ts';
import { ensure } from '../../defaulting.ts';
import { semanticEqual } from '../../semantic-equal.ts';
import { check, each } from '../../validate.ts';
import { validateDriverName } from '../csidriver/resource.ts';

const NODE_ID_MAX = 256;

function validateDriver({ name = '', nodeID = '', allocatable, topologyKeys }: CSINodeDriver, field: string): FieldError[] {
  const errors = validateDriverName(name, `${field}.name`);
  if (nodeID === '') errors.push(required(`${field}.nodeID`));
  else if (nodeID.length > NODE_ID_MAX) errors.push(invalid(`${field}.nodeID`, nodeID, `must be ${NODE_ID_MAX} characters or less`));
  if ((allocatable?.count ?? 0) < 0)
    errors.push(invalid(`${field}.allocatable.count`, allocatable?.count, 'must be greater than or equal to 0'));
  const seen = new Set<string>();
  return [
    ...errors,
    ...each(`${field}.topologyKeys`, topologyKeys, (key, path) => {
      if (key === '') return [required(path)];
      const again = seen.has(key) ? [duplicate(path, key)] : [];
      seen.add(key);
      return [...again, ...check(path, key, isQualifiedName)];
    }),
  ];
}

function validate({ spec }: CSINode): FieldError[] {
  const seen = new Set<string>();
  return each('spec.drivers', spec.drivers, (driver, field) => {
    const again = seen.has(driver.name) ? [duplicate(`${field}.name`, driver.name)] : [];
    seen.add(driver.name);
    return [...validateDriver(driver, field), ...again];
  });
}

const strategy: Strategy<CSINode> = {
  returnsDeletedObject: true,
  generation: 'none',
  default: (draft) => {
    ensure(draft, 'spec').drivers ??= [];
  },
  validate,
  validateUpdate(next, old) {
    const errors = validate(next);
    for (const driver of next.spec.drivers ?? []) {
      const before = (old.spec.drivers ?? []).find(({ name }) => name === driver.name);
      const { allocatable: _next, ...mine } = driver;
      const { allocatable: _old, ...theirs } = before ?? driver;
      if (!semanticEqual(mine, theirs)) errors.push(invalid('CSINode.drivers', before, 'field is immutable'));
    }
    return errors;
  },
};

export const csiNodeDefinition: ResourceDefinition<CSINode> = {
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSINode',
  resource: 'csinodes',
  singular: 'csinode',
  namespaced: false,
  typeName: 'io.k8s.api.storage.v1.CSINode',
  strategy,
  columns: [
    nameColumn,
    { name: 'Drivers', type: 'integer', description: 'How many are on the node.', cell: ({ spec }) => (spec.drivers ?? []).length },
    ageColumn,
  ],
};
