import type { VolumeAttributesClass } from '@orrery/api/storage/v1';
import { type FieldError, forbidden, required } from '@orrery/apimachinery';
import type { ResourceDefinition, Strategy } from '@orrery/apiserver';
import { ageColumn, nameColumn } from '../../../table/columns.ts';
import { semanticEqual } from '../../semantic-equal.ts';
import { validateDriverName } from '../csidriver/resource.ts';

const PARAMETERS_MAX = 512;

/** Source: storage ValidateVolumeAttributesClass. */
function validate({ driverName = '', parameters = {} }: VolumeAttributesClass): FieldError[] {
  const errors = validateDriverName(driverName, 'driverName');
  if (Object.keys(parameters).length === 0) errors.push(required('parameters', 'must contain at least one key/value pair'));
  if (Object.keys(parameters).length > PARAMETERS_MAX) errors.push(forbidden('parameters', `must have at most ${PARAMETERS_MAX} items`));
  return errors;
}

const strategy: Strategy<VolumeAttributesClass> = {
  returnsDeletedObject: true,
  generation: 'none',
  allowCreateOnUpdate: true,
  validate,
  validateUpdate(next, old) {
    const errors: FieldError[] = [];
    if (next.driverName !== old.driverName) errors.push(forbidden('driverName', 'updates to driverName are forbidden.'));
    if (!semanticEqual(next.parameters, old.parameters)) errors.push(forbidden('parameters', 'updates to parameters are forbidden.'));
    return errors;
  },
};

export const volumeAttributesClassDefinition: ResourceDefinition<VolumeAttributesClass> = {
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttributesClass',
  resource: 'volumeattributesclasses',
  singular: 'volumeattributesclass',
  shortNames: ['vac'],
  namespaced: false,
  typeName: 'io.k8s.api.storage.v1.VolumeAttributesClass',
  strategy,
  columns: [nameColumn, { name: 'DriverName', description: 'Who knows its parameters.', cell: ({ driverName }) => driverName }, ageColumn],
};
