import type { ServiceCIDR } from '@orrery/api/networking/v1';
import { type FieldError, invalid, isCidr, required } from '@orrery/apimachinery';
import type { ResourceDefinition } from '@orrery/apiserver';
import { ageColumn, nameColumn } from '../../../table/columns.ts';
import { check, each } from '../../validate.ts';

const FIELD = 'spec.cidrs';

/** Source: validateServiceCIDRSpec. */
function validateServiceCidr({ spec }: ServiceCIDR): FieldError[] {
  const cidrs = spec?.cidrs ?? [];
  if (cidrs.length === 0) return [required(FIELD, 'at least one CIDR required')];
  if (cidrs.length > 2) return [invalid(FIELD, spec, 'may only hold up to 2 values')];
  const errors = each(FIELD, cidrs, (cidr, path) => check(path, cidr, isCidr));
  const families = cidrs.map((cidr) => cidr.includes(':'));
  const reason = 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64';
  if (errors.length === 0 && cidrs.length === 2 && families[0] === families[1]) errors.push(invalid(FIELD, cidrs, reason));
  return errors;
}

/** One range may get one of the other family; nothing else changes. Source: ValidateServiceCIDRUpdate. */
function validateServiceCidrUpdate(next: ServiceCIDR, old: ServiceCIDR): FieldError[] {
  const [before, after] = [old.spec?.cidrs ?? [], next.spec?.cidrs ?? []];
  const reason = 'field is immutable';
  if (before.length !== after.length && !(before.length === 1 && after.length === 2)) return [invalid(FIELD, after, reason)];
  const changed = before.flatMap((cidr, index) => (cidr === after[index] ? [] : [invalid(`${FIELD}[${index}]`, after[index], reason)]));
  return before.length === after.length ? changed : [...changed, ...validateServiceCidr(next)];
}

export const serviceCidrDefinition: ResourceDefinition<ServiceCIDR> = {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'ServiceCIDR',
  resource: 'servicecidrs',
  singular: 'servicecidr',
  namespaced: false,
  typeName: 'io.k8s.api.networking.v1.ServiceCIDR',
  strategy: { generation: 'none', validate: validateServiceCidr, validateUpdate: validateServiceCidrUpdate },
  status: {},
  columns: [
    nameColumn,
    { name: 'CIDRs', description: 'Ranges that Services get addresses from.', cell: ({ spec }) => (spec?.cidrs ?? []).join() },
    ageColumn,
  ],
};
