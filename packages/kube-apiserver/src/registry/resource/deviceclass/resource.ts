import type { DeviceClass } from '@orrery/api/resource/v1';
import type { FieldError } from '@orrery/apimachinery';
import type { ResourceDefinition, Strategy } from '@orrery/apiserver';
import { ageColumn, nameColumn } from '../../../table/columns.ts';
import { validateSelectors } from '../device-requests.ts';

/** Source: resource ValidateDeviceClass. */
const validate = ({ spec }: DeviceClass): FieldError[] => validateSelectors(spec?.selectors, 'spec.selectors');

const strategy: Strategy<DeviceClass> = { returnsDeletedObject: true, validate, validateUpdate: validate };

export const deviceClassDefinition: ResourceDefinition<DeviceClass> = {
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'DeviceClass',
  resource: 'deviceclasses',
  singular: 'deviceclass',
  namespaced: false,
  typeName: 'io.k8s.api.resource.v1.DeviceClass',
  strategy,
  columns: [nameColumn, ageColumn],
};
