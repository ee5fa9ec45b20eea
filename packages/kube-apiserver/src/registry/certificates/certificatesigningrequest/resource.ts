import type { CertificateSigningRequest } from '@orrery/api/certificates/v1';
import type { ResourceDefinition } from '@orrery/apiserver';
import { ageColumn, nameColumn } from '../../../table/columns.ts';
import { humanDuration } from '../../../table/human-duration.ts';
import { approval, certificateSigningRequestStrategy, status } from './strategy.ts';

function conditionText({ status: state }: CertificateSigningRequest): string {
  const has = (type: string): boolean => (state?.conditions ?? []).some((condition) => condition.type === type);
  const verdict = has('Denied') ? 'Denied' : has('Approved') ? 'Approved' : 'Pending';
  return [verdict, ...(has('Failed') ? ['Failed'] : []), ...((state?.certificate ?? '') === '' ? [] : ['Issued'])].join(',');
}

export const certificateSigningRequestDefinition: ResourceDefinition<CertificateSigningRequest> = {
  group: 'certificates.k8s.io',
  version: 'v1',
  kind: 'CertificateSigningRequest',
  resource: 'certificatesigningrequests',
  singular: 'certificatesigningrequest',
  shortNames: ['csr'],
  namespaced: false,
  typeName: 'io.k8s.api.certificates.v1.CertificateSigningRequest',
  strategy: certificateSigningRequestStrategy,
  status,
  partials: { approval },
  selectableFields: { 'spec.signerName': ({ spec }) => spec.signerName ?? '' },
  columns: [
    nameColumn,
    ageColumn,
    { name: 'SignerName', description: 'Who is to sign.', cell: ({ spec }) => spec.signerName ?? '' },
    { name: 'Requestor', description: 'Who asks.', cell: ({ spec }) => spec.username ?? '' },
    {
      name: 'RequestedDuration',
      description: 'How long the certificate is to be valid.',
      cell: ({ spec }) => (spec.expirationSeconds === undefined ? '<none>' : humanDuration(spec.expirationSeconds * 1000)),
    },
    { name: 'Condition', description: 'What became of it.', cell: conditionText },
  ],
};
