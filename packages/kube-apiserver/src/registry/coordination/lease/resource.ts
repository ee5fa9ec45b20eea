import type { Lease } from '@orrery/api/coordination/v1';
import { type FieldError, invalid, notSupported, required } from '@orrery/apimachinery';
import type { ResourceDefinition, Strategy } from '@orrery/apiserver';
import { ageColumn, nameColumn } from '../../../table/columns.ts';
import { ensure } from '../../defaulting.ts';

const strategy: Strategy<Lease> = {
  generation: 'none',
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
  default: (draft) => void ensure(draft, 'spec'),
  validate: validateLease,
  validateUpdate: (next) => validateLease(next),
};

/** Source: ValidateLeaseSpec. */
function validateLease({ spec = {} }: Lease): FieldError[] {
  const { leaseDurationSeconds, leaseTransitions, strategy: election, preferredHolder } = spec;
  const errors: FieldError[] = [];
  if (leaseDurationSeconds !== undefined && leaseDurationSeconds <= 0) {
    errors.push(invalid('spec.leaseDurationSeconds', leaseDurationSeconds, 'must be greater than 0'));
  }
  if (leaseTransitions !== undefined && leaseTransitions < 0) {
    errors.push(invalid('spec.leaseTransitions', leaseTransitions, 'must be greater than or equal to 0'));
  }
  if (election !== undefined && election !== 'OldestEmulationVersion' && !election.includes('/')) {
    errors.push(notSupported('spec.strategy', election, ['OldestEmulationVersion']));
  }
  if (preferredHolder !== undefined && preferredHolder !== '' && (election ?? '') === '') {
    errors.push(required('spec.strategy', 'must be specified when `preferredHolder` is set'));
  }
  return errors;
}

export const leaseDefinition: ResourceDefinition<Lease> = {
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  resource: 'leases',
  singular: 'lease',
  namespaced: true,
  typeName: 'io.k8s.api.coordination.v1.Lease',
  strategy,
  columns: [nameColumn, { name: 'Holder', description: 'Who holds the lease.', cell: ({ spec }) => spec?.holderIdentity ?? '' }, ageColumn],
};
