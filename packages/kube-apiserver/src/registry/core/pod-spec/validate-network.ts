import {
  type FieldError,
  invalid,
  isDns1123Subdomain,
  isDns1123SubdomainWithUnderscore,
  isIpForLegacyField,
  required,
} from '@orrery/apimachinery';
import { check, each } from '../../validate.ts';
import type { PodRules } from './rules.ts';

// Bounds of the C library's resolver.
const NAMESERVERS_MAX = 3;
const SEARCHES_MAX = 32;
const SEARCH_CHARACTERS_MAX = 2048;

/** Source: validatePodDNSConfig. */
export function validateDnsConfig({ spec }: PodRules, field: string): FieldError[] {
  const { dnsConfig, dnsPolicy } = spec;
  if (dnsPolicy === 'None') {
    if (dnsConfig === undefined) return [required(field, 'must provide `dnsConfig` when `dnsPolicy` is None')];
    if ((dnsConfig.nameservers ?? []).length === 0) {
      return [required(`${field}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None')];
    }
  }
  const { nameservers = [], searches = [], options = [] } = dnsConfig ?? {};
  const errors: FieldError[] = [];
  if (nameservers.length > NAMESERVERS_MAX) {
    errors.push(invalid(`${field}.nameservers`, nameservers, `must not have more than ${NAMESERVERS_MAX} nameservers`));
  }
  errors.push(...each(`${field}.nameservers`, nameservers, (server, path) => check(path, server, isIpForLegacyField)));
  if (searches.length > SEARCHES_MAX) {
    errors.push(invalid(`${field}.searches`, searches, `must not have more than ${SEARCHES_MAX} search paths`));
  }
  if (searches.join(' ').length > SEARCH_CHARACTERS_MAX) {
    const reason = `must not have more than ${SEARCH_CHARACTERS_MAX} characters (including spaces) in the search list`;
    errors.push(invalid(`${field}.searches`, searches, reason));
  }
  errors.push(
    ...each(`${field}.searches`, searches, (search, path) =>
      search === '.' ? [] : check(path, search.replace(/\.$/, ''), isDns1123SubdomainWithUnderscore),
    ),
  );
  return [...errors, ...each(`${field}.options`, options, ({ name }, path) => (name ? [] : [required(path, 'must not be empty')]))];
}

/** Source: ValidateHostAliases. */
export function validateHostAliases({ spec }: PodRules, field: string): FieldError[] {
  return each(field, spec.hostAliases, ({ ip = '', hostnames }, path) => {
    const errors = check(`${path}.ip`, ip, isIpForLegacyField);
    return [...errors, ...each(`${path}.hostnames`, hostnames, (name, hostPath) => check(hostPath, name, isDns1123Subdomain))];
  });
}

/** On the host's network a port cannot be another one outside. Templates may leave it to the pod. Source: validatePodHostNetworkDeps. */
export function validateHostNetwork({ spec, isPod }: PodRules, field: string): FieldError[] {
  if (spec.hostNetwork !== true) return [];
  return each(`${field}.containers`, spec.containers, ({ ports }, container) =>
    each(`${container}.ports`, ports, ({ hostPort = 0, containerPort }, path) =>
      (isPod || hostPort !== 0) && hostPort !== containerPort
        ? [invalid(`${path}.hostPort`, hostPort, 'must match `containerPort` when `hostNetwork` is true')]
        : [],
    ),
  );
}
