import type { HTTPIngressPath, Ingress, IngressBackend, IngressRule, IngressServiceBackend, IngressTLS } from '@orrery/api/networking/v1';
import {
  type FieldError,
  invalid,
  isDns1123Subdomain,
  isIpForLegacyField,
  isPortName,
  isPortNumber,
  isWildcardDns1123Subdomain,
  nameIsDnsLabel,
  nameIsDnsSubdomain,
  nameIsPathSegment,
  notSupported,
  parseIp,
  required,
} from '@orrery/apimachinery';
import { check, each } from '../../validate.ts';

export const INGRESS_CLASS_ANNOTATION = 'kubernetes.io/ingress.class';
const FORBIDDEN_IN_PATHS = ['//', '/./', '/../', '%2f', '%2F'];
const FORBIDDEN_AT_END = ['/..', '/.'];

/** Source: ValidateIngressCreate. */
export function validateIngress(ingress: Ingress): FieldError[] {
  const annotation = ingress.metadata.annotations?.[INGRESS_CLASS_ANNOTATION];
  const { ingressClassName } = ingress.spec;
  const differ = annotation !== undefined && ingressClassName !== undefined && annotation !== ingressClassName;
  const reason = 'must match `ingressClassName` when both are specified';
  return [...validateIngressUpdate(ingress), ...(differ ? [invalid(`annotations.${INGRESS_CLASS_ANNOTATION}`, annotation, reason)] : [])];
}

/** Source: ValidateIngressUpdate. */
export function validateIngressUpdate({ spec }: Ingress): FieldError[] {
  const { rules = [], defaultBackend, tls, ingressClassName } = spec;
  return [
    ...(rules.length === 0 && defaultBackend === undefined
      ? [invalid('spec', rules, 'either `defaultBackend` or `rules` must be specified')]
      : []),
    ...(defaultBackend === undefined ? [] : validateBackend(defaultBackend, 'spec.defaultBackend')),
    ...each('spec.rules', rules, validateRule),
    ...each('spec.tls', tls, validateTls),
    ...(ingressClassName === undefined ? [] : check('spec.ingressClassName', ingressClassName, (name) => nameIsDnsSubdomain(name, false))),
  ];
}

const hostProblems = (host: string): readonly string[] =>
  host.includes('*') ? isWildcardDns1123Subdomain(host) : isDns1123Subdomain(host);

function validateTls({ hosts, secretName = '' }: IngressTLS, field: string): FieldError[] {
  return [
    ...each(`${field}.hosts`, hosts, (host, path) => check(path, host, hostProblems)),
    ...(secretName === '' ? [] : check(`${field}.secretName`, secretName, (name) => nameIsDnsSubdomain(name, false))),
  ];
}

function validateRule({ host = '', http }: IngressRule, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (host !== '') {
    if (parseIp(host) !== undefined) errors.push(invalid(`${field}.host`, host, 'must be a DNS name, not an IP address'));
    errors.push(...check(`${field}.host`, host, hostProblems));
  }
  if (http === undefined) return errors;
  if ((http.paths ?? []).length === 0) errors.push(required(`${field}.http.paths`));
  return [...errors, ...each(`${field}.http.paths`, http.paths, validatePath)];
}

function validatePath({ path = '', pathType = '', backend = {} }: HTTPIngressPath, field: string): FieldError[] {
  if (pathType === '') return [required(`${field}.pathType`, 'pathType must be specified')];
  const errors: FieldError[] = [];
  const absolute = path.startsWith('/');
  if (pathType === 'Exact' || pathType === 'Prefix') {
    if (!absolute) errors.push(invalid(`${field}.path`, path, 'must be an absolute path'));
    for (const part of FORBIDDEN_IN_PATHS)
      if (path.includes(part)) errors.push(invalid(`${field}.path`, path, `must not contain '${part}'`));
    for (const end of FORBIDDEN_AT_END) if (path.endsWith(end)) errors.push(invalid(`${field}.path`, path, `cannot end with '${end}'`));
  } else if (pathType === 'ImplementationSpecific') {
    if (path !== '' && !absolute) errors.push(invalid(`${field}.path`, path, 'must be an absolute path'));
  } else {
    errors.push(notSupported(`${field}.pathType`, pathType, ['Exact', 'ImplementationSpecific', 'Prefix']));
  }
  return [...errors, ...validateBackend(backend, `${field}.backend`)];
}

function validateBackend({ resource, service }: IngressBackend, field: string): FieldError[] {
  if (resource !== undefined && service !== undefined) return [invalid(field, '', 'cannot set both resource and service backends')];
  if (resource !== undefined) return validateReference(resource, `${field}.resource`);
  if (service !== undefined) return validateServiceBackend(service, field);
  return [invalid(field, '', 'resource or service backend is required')];
}

function validateServiceBackend({ name: service = '', port }: IngressServiceBackend, field: string): FieldError[] {
  const { name = '', number = 0 } = port ?? {};
  const errors =
    service === '' ? [required(`${field}.service.name`)] : check(`${field}.service.name`, service, (value) => nameIsDnsLabel(value, false));
  if (name !== '' && number !== 0) errors.push(invalid(field, '', 'cannot set both port name & port number'));
  else if (name !== '') errors.push(...check(`${field}.service.port.name`, name, isPortName));
  else if (number !== 0) errors.push(...isPortNumber(number).map((reason) => invalid(`${field}.service.port.number`, number, reason)));
  else errors.push(required(field, 'port name or number is required'));
  return errors;
}

/** What a reference to an object of some kind has to be like. Source: validateIngressTypedLocalObjectReference. */
export function validateReference(reference: { apiGroup?: string; kind?: string; name?: string }, field: string): FieldError[] {
  const { apiGroup, kind = '', name = '' } = reference;
  const segment = (value: string): readonly string[] => nameIsPathSegment(value, false);
  return [
    ...(apiGroup === undefined ? [] : check(`${field}.apiGroup`, apiGroup, isDns1123Subdomain)),
    ...(kind === '' ? [required(`${field}.kind`)] : check(`${field}.kind`, kind, segment)),
    ...(name === '' ? [required(`${field}.name`)] : check(`${field}.name`, name, segment)),
  ];
}

/** Source: ValidateIngressLoadBalancerStatus. */
export function validateIngressStatus(next: Ingress, old: Ingress): FieldError[] {
  const known = new Set((old.status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip));
  return each('status.loadBalancer.ingress', next.status?.loadBalancer?.ingress, ({ ip = '', hostname = '' }, field) => [
    ...(ip === '' || known.has(ip) ? [] : check(`${field}.ip`, ip, isIpForLegacyField)),
    ...(hostname === '' ? [] : check(`${field}.hostname`, hostname, isDns1123Subdomain)),
    ...(parseIp(hostname) === undefined ? [] : [invalid(`${field}.hostname`, hostname, 'must be a DNS name, not an IP address')]),
  ]);
}
