import type { EndpointAddress, EndpointPort, Endpoints } from '@orrery/api/core/v1';
import {
  type FieldError,
  invalid,
  isDns1123Label,
  isIpForLegacyField,
  isPortNumber,
  isQualifiedName,
  notSupported,
  required,
} from '@orrery/apimachinery';
import { isProcessPodAddress, specialAddressReason } from '../../addresses.ts';
import { check, each } from '../../validate.ts';

export const protocols = ['SCTP', 'TCP', 'UDP'];

/** Source: ValidateEndpoints. */
export function validateEndpoints({ subsets }: Endpoints): FieldError[] {
  return each('subsets', subsets, ({ addresses = [], notReadyAddresses = [], ports = [] }, field) => [
    ...(addresses.length === 0 && notReadyAddresses.length === 0
      ? [required(field, 'must specify `addresses` or `notReadyAddresses`')]
      : []),
    ...each(`${field}.addresses`, addresses, validateAddress),
    ...each(`${field}.notReadyAddresses`, notReadyAddresses, validateAddress),
    ...each(`${field}.ports`, ports, (port, path) => validatePort(port, ports.length > 1, path)),
  ]);
}

function validateAddress({ ip, hostname = '', nodeName }: EndpointAddress, field: string): FieldError[] {
  return [
    ...validateEndpointIp(ip, `${field}.ip`),
    ...(hostname === '' ? [] : check(`${field}.hostname`, hostname, isDns1123Label)),
    ...(nodeName === undefined || nodeName !== '' ? [] : [invalid(`${field}.nodeName`, nodeName, 'must be a valid node name')]),
  ];
}

/**
 * An address that endpoints may have: valid, and neither unspecified, loopback nor link-local. Source: ValidateNonSpecialIP. Not as there:
 * pods that are processes have loopback addresses of their own, and services reach them.
 */
export function validateEndpointIp(ip: string | undefined, field: string): FieldError[] {
  const reasons = isIpForLegacyField(ip ?? '');
  if (ip === undefined || reasons.length > 0) return reasons.map((reason) => invalid(field, ip ?? '', reason));
  const reason = isProcessPodAddress(ip) ? undefined : specialAddressReason(ip);
  return reason === undefined ? [] : [invalid(field, ip, reason)];
}

function validatePort({ name = '', port, protocol = '', appProtocol }: EndpointPort, nameRequired: boolean, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (nameRequired && name === '') errors.push(required(`${field}.name`));
  else if (name !== '') errors.push(...check(`${field}.name`, name, isDns1123Label));
  errors.push(...isPortNumber(port ?? 0).map((reason) => invalid(`${field}.port`, port ?? 0, reason)));
  if (protocol === '') errors.push(required(`${field}.protocol`));
  else if (!protocols.includes(protocol)) errors.push(notSupported(`${field}.protocol`, protocol, protocols));
  if (appProtocol !== undefined) errors.push(...check(`${field}.appProtocol`, appProtocol, isQualifiedName));
  return errors;
}
