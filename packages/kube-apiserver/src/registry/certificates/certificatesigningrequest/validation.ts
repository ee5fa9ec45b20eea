import type { CertificateSigningRequest, CertificateSigningRequestCondition } from '@orrery/api/certificates/v1';
import { duplicate, type FieldError, forbidden, invalid, nameIsDnsSubdomain, notSupported, required } from '@orrery/apimachinery';
import { certificateUsages, readSigningRequest } from '@orrery/component';
import { each } from '../../validate.ts';

const SECONDS_MIN = 600;
const LEGACY_SIGNER = 'kubernetes.io/legacy-unknown';

/** Source: ValidateCertificateSigningRequestCreate. */
export function validateRequest({ spec, status }: CertificateSigningRequest): FieldError[] {
  return [
    ...requestErrors(spec.request),
    ...usageErrors(spec.usages ?? []),
    ...signerErrors(spec.signerName ?? ''),
    ...(spec.expirationSeconds !== undefined && spec.expirationSeconds < SECONDS_MIN
      ? [invalid('spec.expirationSeconds', spec.expirationSeconds, `may not specify a duration less than ${SECONDS_MIN} seconds`)]
      : []),
    ...conditionErrors(status?.conditions ?? []),
  ];
}

function requestErrors(request: string | undefined): FieldError[] {
  try {
    readSigningRequest(Buffer.from(request ?? '', 'base64').toString('latin1'));
    return [];
  } catch (error) {
    return [invalid('spec.request', request ?? '', error instanceof Error ? error.message : String(error))];
  }
}

function usageErrors(usages: readonly string[]): FieldError[] {
  if (usages.length === 0) return [required('spec.usages')];
  const sorted = [...certificateUsages].sort();
  return each('spec.usages', usages, (usage, field, index) => {
    if (!certificateUsages.includes(usage)) return [notSupported(field, usage, sorted)];
    return usages.indexOf(usage) < index ? [duplicate(field, usage)] : [];
  });
}

/** `domain/path`, as `kubernetes.io/kubelet-serving`. Source: ValidateSignerName. */
function signerErrors(name: string): FieldError[] {
  const field = 'spec.signerName';
  if (name === '') return [required(field)];
  if (name === LEGACY_SIGNER) return [invalid(field, name, 'the legacy signerName is not allowed via this API version')];
  const [domain = '', path, ...more] = name.split('/');
  if (path === undefined || more.length > 0) {
    return [invalid(field, name, 'must be a fully qualified domain and path of the form "example.com/signer-name"')];
  }
  const errors = nameIsDnsSubdomain(domain, false).map((reason) => invalid(field, domain, `validating label "${domain}": ${reason}`));
  if (domain.split('.').length < 2) errors.push(invalid(field, domain, 'should be a domain with at least two segments separated by dots'));
  errors.push(...nameIsDnsSubdomain(path, false).map((reason) => invalid(field, path, `validating label "${path}": ${reason}`)));
  return errors;
}

/** Verdicts are for ever, and one excludes the other. Source: validateConditions. */
export function conditionErrors(conditions: readonly CertificateSigningRequestCondition[]): FieldError[] {
  const types = conditions.map(({ type }) => type);
  return each('status.conditions', conditions, ({ type, status }, field, index) => {
    const errors: FieldError[] = [];
    if (type === '') errors.push(required(`${field}.type`));
    else if (types.indexOf(type) < index) errors.push(duplicate(`${field}.type`, type));
    if (type === 'Denied' && types.includes('Approved')) {
      errors.push(invalid(`${field}.type`, type, 'Approved and Denied conditions are mutually exclusive'));
    }
    const verdict = ['Approved', 'Denied', 'Failed'].includes(type);
    const allowed = verdict ? ['True'] : ['True', 'False', 'Unknown'];
    if ((status ?? '') === '') errors.push(required(`${field}.status`));
    else if (!allowed.includes(status)) errors.push(notSupported(`${field}.status`, status, allowed));
    return errors;
  });
}

/** A verdict stays once it was given. */
export function verdictErrors(next: CertificateSigningRequest, old: CertificateSigningRequest): FieldError[] {
  const has = (request: CertificateSigningRequest, type: string): boolean =>
    (request.status?.conditions ?? []).some((condition) => condition.type === type);
  return ['Approved', 'Denied', 'Failed']
    .filter((type) => has(old, type) && !has(next, type))
    .map((type) => forbidden('status.conditions', `updates may not remove a condition of type "${type}"`));
}

/** Source: validateCertificate. */
export function certificateErrors(next: CertificateSigningRequest, old: CertificateSigningRequest): FieldError[] {
  const { certificate } = next.status ?? {};
  const before = old.status?.certificate;
  if (certificate === before) return [];
  const field = 'status.certificate';
  if (before !== undefined && before !== '')
    return [invalid(field, '<certificate data>', 'updates may not modify existing certificate content')];
  const text = Buffer.from(certificate ?? '', 'base64').toString('latin1');
  const blocks = text.match(/-----BEGIN [^-]+-----/g) ?? [];
  if (blocks.length === 0) return [invalid(field, '<certificate data>', 'must contain at least one CERTIFICATE PEM block')];
  return blocks.some((block) => block !== '-----BEGIN CERTIFICATE-----')
    ? [invalid(field, '<certificate data>', 'only CERTIFICATE PEM blocks are allowed')]
    : [];
}
