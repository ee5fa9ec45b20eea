import type { JobSpec } from '@orrery/api/batch/v1';
import { type FieldError, invalid, isDns1123Subdomain, required, tooLong, tooMany } from '@orrery/apimachinery';
import { each } from '../../validate.ts';
import { parseIndexes } from './indexes.ts';

const RULES_MAX = 20;
const INDEXES_BYTES_MAX = 64 * 1024;
const MANAGED_BY_BYTES_MAX = 63;

/** Source: validateSuccessPolicy. */
export function validateSuccessPolicy({ successPolicy, completionMode, completions = 0 }: JobSpec, field: string): FieldError[] {
  const rules = successPolicy?.rules ?? [];
  if (completionMode !== 'Indexed') return [invalid(field, successPolicy, 'requires indexed completion mode')];
  if (rules.length === 0) return [required(`${field}.rules`, 'at least one rules must be specified when the successPolicy is specified')];
  const errors = rules.length > RULES_MAX ? [tooMany(`${field}.rules`, rules.length, RULES_MAX)] : [];
  return [
    ...errors,
    ...each(`${field}.rules`, rules, ({ succeededCount, succeededIndexes }, path) => {
      if (succeededCount === undefined && succeededIndexes === undefined) {
        return [required(path, 'at least one of succeededCount or succeededIndexes must be specified')];
      }
      const found: FieldError[] = [];
      let most = completions;
      if (succeededIndexes !== undefined) {
        if (succeededIndexes.length > INDEXES_BYTES_MAX) found.push(tooLong(`${path}.succeededIndexes`, INDEXES_BYTES_MAX));
        const parsed = parseIndexes(succeededIndexes, completions);
        if (typeof parsed === 'string')
          found.push(invalid(`${path}.succeededIndexes`, succeededIndexes, `error parsing succeededIndexes: ${parsed}`));
        else most = parsed;
      }
      if (succeededCount !== undefined) {
        if (succeededCount <= 0) found.push(invalid(`${path}.succeededCount`, succeededCount, 'must be greater than or equal to 1'));
        if (succeededCount > most) {
          const bound =
            succeededIndexes === undefined
              ? `${completions} (the number of specified completions)`
              : `${most} (the number of indexes in the specified succeededIndexes field)`;
          found.push(invalid(`${path}.succeededCount`, succeededCount, `must be less than or equal to ${bound}`));
        }
      }
      return found;
    }),
  ];
}

/** The name of a controller, as `example.com/queue`. Source: ValidateDomainPrefixedPath. */
export function validateManagedBy(name: string, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const slash = name.indexOf('/');
  const domain = name.slice(0, slash);
  const path = name.slice(slash + 1);
  if (slash <= 0 || path === '') errors.push(invalid(field, name, 'must be a domain-prefixed path (such as "acme.io/foo")'));
  else {
    errors.push(...isDns1123Subdomain(domain).map((reason) => invalid(field, domain, reason)));
    if (!/^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/.test(path)) errors.push(invalid(field, path, 'Invalid path'));
  }
  if (Buffer.byteLength(name) > MANAGED_BY_BYTES_MAX) errors.push(tooLong(field, MANAGED_BY_BYTES_MAX));
  return errors;
}
