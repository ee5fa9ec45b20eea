import { type FieldError, invalid, isJsonObject, newBadRequest, newInvalid, notSupported } from '@orrery/apimachinery';
import type { RequestOptions } from '@orrery/client';
import type { ApiCall } from '../handler.ts';

/** Options of a delete, from the query or from a DeleteOptions body, which wins. */
export interface DeleteOptions extends Pick<RequestOptions, 'preconditions'> {
  readonly gracePeriodSeconds: number | undefined;
  readonly propagationPolicy: RequestOptions['propagationPolicy'];
  /** The old form of `propagationPolicy`: true orphans. */
  readonly orphanDependents: boolean | undefined;
  readonly dryRun: boolean;
}

const policies = ['Foreground', 'Background', 'Orphan'];

/** @throws StatusError BadRequest, Invalid */
export function deleteOptionsOf({ options = {}, body }: ApiCall): DeleteOptions {
  const fields = body === undefined || body === null ? {} : body;
  if (!isJsonObject(fields)) throw newBadRequest('the body of a delete must be a DeleteOptions object');
  const { kind = 'DeleteOptions' } = fields;
  if (kind !== 'DeleteOptions') throw newBadRequest(`decoded object cannot be converted to DeleteOptions`);
  const orphanDependents = typed(fields['orphanDependents'], 'boolean', 'orphanDependents');
  const policy = typed(fields['propagationPolicy'], 'string', 'propagationPolicy') ?? options.propagationPolicy;
  const dryRun = fields['dryRun'] ?? [];
  if (!Array.isArray(dryRun)) throw newBadRequest('json: cannot unmarshal into Go struct field DeleteOptions.dryRun of type []string');
  const errors = validate(policy, orphanDependents, dryRun);
  if (errors.length > 0) throw newInvalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', errors);
  return {
    gracePeriodSeconds: typed(fields['gracePeriodSeconds'], 'number', 'gracePeriodSeconds') ?? options.gracePeriodSeconds,
    propagationPolicy: legacyPolicy(orphanDependents) ?? (policy as RequestOptions['propagationPolicy']),
    orphanDependents,
    preconditions: preconditionsOf(fields['preconditions']) ?? options.preconditions,
    dryRun: dryRun.length > 0 || options.dryRun === true,
  };
}

const legacyPolicy = (orphanDependents: boolean | undefined): 'Orphan' | 'Background' | undefined =>
  orphanDependents === undefined ? undefined : orphanDependents ? 'Orphan' : 'Background';

function validate(policy: string | undefined, orphanDependents: boolean | undefined, dryRun: readonly unknown[]): FieldError[] {
  const errors: FieldError[] = [];
  if (policy !== undefined && orphanDependents !== undefined) {
    errors.push(invalid('propagationPolicy', policy, 'orphanDependents and deletionPropagation cannot be both set'));
  }
  if (policy !== undefined && !policies.includes(policy)) errors.push(notSupported('propagationPolicy', policy, [...policies, 'nil']));
  if (dryRun.some((value) => value !== 'All')) errors.push(notSupported('dryRun', dryRun, ['All']));
  return errors;
}

function preconditionsOf(value: unknown): RequestOptions['preconditions'] {
  if (value === undefined || value === null) return undefined;
  if (!isJsonObject(value)) throw newBadRequest('preconditions must be an object');
  const uid = typed(value['uid'], 'string', 'preconditions.uid');
  const resourceVersion = typed(value['resourceVersion'], 'string', 'preconditions.resourceVersion');
  return { ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) };
}

interface Types {
  readonly boolean: boolean;
  readonly string: string;
  readonly number: number;
}

function typed<K extends keyof Types>(value: unknown, type: K, field: string): Types[K] | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== type) throw newBadRequest(`DeleteOptions: ${field} must be a ${type}`);
  return value as Types[K];
}
