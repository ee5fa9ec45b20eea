import type { IPAddress, ParentReference } from '@orrery/api/networking/v1';
import { type FieldError, isDns1123Subdomain, isIp, nameIsPathSegment, required } from '@orrery/apimachinery';
import type { ResourceDefinition } from '@orrery/apiserver';
import { ageColumn, nameColumn } from '../../../table/columns.ts';
import { check, immutable } from '../../validate.ts';

/** Source: validateIPAddressParentReference. */
function validateIpAddress({ spec }: IPAddress): FieldError[] {
  const field = 'spec.parentRef';
  if (spec?.parentRef === undefined) return [required(field)];
  const { group = '', resource = '', name = '', namespace = '' } = spec.parentRef;
  const segment = (value: string): readonly string[] => nameIsPathSegment(value, false);
  return [
    ...(group === '' ? [] : check(`${field}.group`, group, isDns1123Subdomain)),
    ...(resource === '' ? [required(`${field}.resource`)] : check(`${field}.resource`, resource, segment)),
    ...(name === '' ? [required(`${field}.name`)] : check(`${field}.name`, name, segment)),
    ...(namespace === '' ? [] : check(`${field}.namespace`, namespace, segment)),
  ];
}

/** `services/default/kubernetes`. */
function parentOf(parent: ParentReference | undefined): string {
  if (parent === undefined) return '<none>';
  const { group = '', resource, namespace = '', name } = parent;
  const kind = `${resource}${group === '' ? '' : `.${group}`}`.toLowerCase();
  return [kind, namespace, name].filter((part) => part !== '').join('/');
}

export const ipAddressDefinition: ResourceDefinition<IPAddress> = {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IPAddress',
  resource: 'ipaddresses',
  singular: 'ipaddress',
  shortNames: ['ip'],
  namespaced: false,
  typeName: 'io.k8s.api.networking.v1.IPAddress',
  strategy: {
    generation: 'none',
    validateName: (name) => isIp(name),
    validate: validateIpAddress,
    validateUpdate: (next, old) => immutable('spec.parentRef', next.spec?.parentRef, old.spec?.parentRef),
  },
  selectableFields: {},
  columns: [
    nameColumn,
    { name: 'ParentRef', description: 'Whose address it is.', cell: ({ spec }) => parentOf(spec?.parentRef) },
    ageColumn,
  ],
};
