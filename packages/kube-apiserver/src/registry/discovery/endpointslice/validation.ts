import type { Endpoint, EndpointPort, EndpointSlice } from '@orrery/api/discovery/v1';
import {
  duplicate,
  type FieldError,
  invalid,
  isDns1123Label,
  isDns1123Subdomain,
  isPortNumber,
  isQualifiedName,
  notSupported,
  required,
  tooMany,
} from '@orrery/apimachinery';
import { familyOf } from '../../addresses.ts';
import { protocols, validateEndpointIp } from '../../core/endpoints/validation.ts';
import { check, each, immutable } from '../../validate.ts';

const addressTypes = ['FQDN', 'IPv4', 'IPv6'];
const ENDPOINTS_MAX = 1000;
const ADDRESSES_MAX = 100;
const PORTS_MAX = 20_000;
const HINTS_MAX = 8;

/** Source: ValidateEndpointSlice. */
export function validateEndpointSlice({ addressType = '', endpoints, ports }: EndpointSlice): FieldError[] {
  const errors: FieldError[] = [];
  if ((addressType as string) === '') errors.push(required('addressType'));
  else if (!addressTypes.includes(addressType)) errors.push(notSupported('addressType', addressType, addressTypes));
  if ((endpoints ?? []).length > ENDPOINTS_MAX) errors.push(tooMany('endpoints', endpoints?.length ?? 0, ENDPOINTS_MAX));
  else errors.push(...each('endpoints', endpoints, (endpoint, field) => validateEndpoint(endpoint, addressType, field)));
  if ((ports ?? []).length > PORTS_MAX) errors.push(tooMany('ports', ports?.length ?? 0, PORTS_MAX));
  else errors.push(...validatePorts(ports));
  return errors;
}

function validateEndpoint({ addresses = [], hostname, nodeName, hints }: Endpoint, type: string, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (addresses.length === 0) errors.push(required(`${field}.addresses`, 'must contain at least 1 address'));
  else if (addresses.length > ADDRESSES_MAX) errors.push(tooMany(`${field}.addresses`, addresses.length, ADDRESSES_MAX));
  errors.push(...each(`${field}.addresses`, addresses, (address, path) => validateAddress(address, type, path)));
  if (nodeName !== undefined) errors.push(...check(`${field}.nodeName`, nodeName, isDns1123Subdomain));
  if (hostname !== undefined) errors.push(...check(`${field}.hostname`, hostname, isDns1123Label));
  const zones = hints?.forZones ?? [];
  if (zones.length > HINTS_MAX) errors.push(tooMany(`${field}.hints.forZones`, zones.length, HINTS_MAX));
  return errors;
}

function validateAddress(address: string, type: string, field: string): FieldError[] {
  if (type === 'FQDN') return check(field, address.replace(/\.$/, ''), fqdnReasons);
  if (type !== 'IPv4' && type !== 'IPv6') return [];
  if (familyOf(address) === undefined) return validateEndpointIp(address, field);
  if (familyOf(address) !== type) return [invalid(field, address, `must be an ${type} address`)];
  return validateEndpointIp(address, field);
}

function fqdnReasons(name: string): string[] {
  const reasons = isDns1123Subdomain(name);
  return reasons.length === 0 && !name.includes('.') ? ['should be a domain with at least two segments separated by dots'] : reasons;
}

function validatePorts(ports: readonly EndpointPort[] | undefined): FieldError[] {
  const seen = new Set<string>();
  return each('ports', ports, ({ name = '', protocol, port, appProtocol }, field) => {
    const errors = name === '' ? [] : check(`${field}.name`, name, isDns1123Label);
    if (seen.has(name)) errors.push(duplicate(`${field}.name`, name));
    seen.add(name);
    if (port !== undefined) errors.push(...isPortNumber(port).map((reason) => invalid(`${field}.port`, port, reason)));
    if (protocol === undefined) errors.push(required(`${field}.protocol`));
    else if (!protocols.includes(protocol)) errors.push(notSupported(`${field}.protocol`, protocol, protocols));
    if (appProtocol !== undefined) errors.push(...check(`${field}.appProtocol`, appProtocol, isQualifiedName));
    return errors;
  });
}

export function validateEndpointSliceUpdate(next: EndpointSlice, old: EndpointSlice): FieldError[] {
  return [...validateEndpointSlice(next), ...immutable('addressType', next.addressType, old.addressType)];
}
