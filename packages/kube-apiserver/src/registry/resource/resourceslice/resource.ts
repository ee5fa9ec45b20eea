import type { ResourceSlice } from '@orrery/api/resource/v1';
import { type FieldError, invalid, nameIsDnsLabel, nameIsDnsSubdomain, required } from '@orrery/apimachinery';
import type { ResourceDefinition, Strategy } from '@orrery/apiserver';
import { ageColumn, nameColumn } from '../../../table/columns.ts';
import { check, each, immutable } from '../../validate.ts';

/** Source: resource ValidateResourceSlice. */
function validate({ spec }: ResourceSlice): FieldError[] {
  const { driver = '', pool, nodeName, nodeSelector, allNodes, perDeviceNodeSelection, devices } = spec ?? {};
  const errors = driver === '' ? [required('spec.driver')] : check('spec.driver', driver, (name) => nameIsDnsSubdomain(name, false));
  if ((pool?.name ?? '') === '') errors.push(required('spec.pool.name'));
  if ((pool?.resourceSliceCount ?? 0) <= 0) {
    errors.push(invalid('spec.pool.resourceSliceCount', pool?.resourceSliceCount, 'must be greater than zero'));
  }
  if ((pool?.generation ?? 0) < 0) errors.push(invalid('spec.pool.generation', pool?.generation, 'must be greater than or equal to zero'));
  const placed = [nodeName !== undefined, nodeSelector !== undefined, allNodes === true, perDeviceNodeSelection === true];
  const message = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required';
  const count = placed.filter(Boolean).length;
  if (count === 0) errors.push(required('spec', message));
  if (count > 1) errors.push(invalid('spec', undefined, message));
  if (nodeName === '') errors.push(required('spec.nodeName', 'must be either unset or set to a non-empty string'));
  errors.push(
    ...each('spec.devices', devices, ({ name = '' }, path) =>
      name === '' ? [required(`${path}.name`)] : check(`${path}.name`, name, (value) => nameIsDnsLabel(value, false)),
    ),
  );
  return errors;
}

const strategy: Strategy<ResourceSlice> = {
  returnsDeletedObject: true,
  validate,
  validateUpdate: (next, old) => [
    ...validate(next),
    ...immutable('spec.driver', next.spec.driver, old.spec.driver),
    ...immutable('spec.pool.name', next.spec.pool.name, old.spec.pool.name),
    ...immutable('spec.nodeName', next.spec.nodeName, old.spec.nodeName),
  ],
};

export const resourceSliceDefinition: ResourceDefinition<ResourceSlice> = {
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceSlice',
  resource: 'resourceslices',
  singular: 'resourceslice',
  namespaced: false,
  typeName: 'io.k8s.api.resource.v1.ResourceSlice',
  strategy,
  selectableFields: { 'spec.nodeName': ({ spec }) => spec.nodeName ?? '', 'spec.driver': ({ spec }) => spec.driver },
  columns: [
    nameColumn,
    { name: 'Node', description: 'The node that has the devices.', cell: ({ spec }) => spec.nodeName ?? '<unset>' },
    { name: 'Driver', description: 'Who serves them.', cell: ({ spec }) => spec.driver },
    { name: 'Pool', description: 'What they belong to.', cell: ({ spec }) => spec.pool.name },
    ageColumn,
  ],
};
