import { type FieldError, invalid, isJsonObject, type Json, type JsonObject, newBadRequest, notSupported } from '@orrery/apimachinery';
import type { RequestOptions } from '@orrery/client';
import { dryRunErrors, throwInvalid } from './query-options.ts';
import { booleanOf, integerOf } from './query-values.ts';

interface DeleteOptions {
  readonly gracePeriodSeconds?: number | undefined;
  readonly orphanDependents?: boolean | undefined;
  readonly propagationPolicy?: string | undefined;
  readonly dryRun: readonly string[];
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string } | undefined;
}

export interface DeletionRequest {
  readonly options: RequestOptions;
  /** What the options have no place for: the old form of the propagation policy, which also decides about the status code. */
  readonly body?: { readonly orphanDependents: boolean };
}

/**
 * Options of delete and deletecollection: from the body when there is one, otherwise from the query.
 *
 * @throws {StatusError} 400 for a body that is no DeleteOptions, 422 for values that are not allowed.
 */
export function deleteOptionsOf(body: Json | undefined, query: URLSearchParams): DeletionRequest {
  const options = body === undefined ? fromQuery(query) : fromBody(body);
  throwInvalid('DeleteOptions', deleteErrors(options));
  const { gracePeriodSeconds, orphanDependents, propagationPolicy, dryRun, preconditions } = options;
  return {
    options: {
      ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
      ...(propagationPolicy === undefined ? {} : { propagationPolicy: propagationPolicy as Policy }),
      ...(dryRun.length === 0 ? {} : { dryRun: true }),
      ...(preconditions === undefined ? {} : { preconditions }),
    },
    ...(orphanDependents === undefined ? {} : { body: { orphanDependents } }),
  };
}

type Policy = NonNullable<RequestOptions['propagationPolicy']>;

const policies = ['Foreground', 'Background', 'Orphan'];

/** Source: meta/v1 `ValidateDeleteOptions`. */
function deleteErrors({ orphanDependents, propagationPolicy, dryRun }: DeleteOptions): FieldError[] {
  const errors: FieldError[] = [];
  if (orphanDependents !== undefined && propagationPolicy !== undefined) {
    errors.push(invalid('propagationPolicy', propagationPolicy, 'orphanDependents and deletionPropagation cannot be both set'));
  }
  if (propagationPolicy !== undefined && !policies.includes(propagationPolicy)) {
    errors.push(notSupported('propagationPolicy', propagationPolicy, [...policies, 'nil']));
  }
  errors.push(...dryRunErrors(dryRun));
  return errors;
}

function fromQuery(query: URLSearchParams): DeleteOptions {
  const orphan = query.get('orphanDependents');
  return {
    gracePeriodSeconds: integerOf(query.get('gracePeriodSeconds')),
    orphanDependents: orphan === null ? undefined : booleanOf(orphan),
    propagationPolicy: query.get('propagationPolicy') ?? undefined,
    dryRun: query.getAll('dryRun'),
  };
}

function fromBody(body: Json): DeleteOptions {
  if (!isJsonObject(body) || (body['kind'] !== undefined && body['kind'] !== 'DeleteOptions')) {
    throw newBadRequest('decoded object cannot be converted to DeleteOptions');
  }
  const dryRun = body['dryRun'] ?? [];
  if (!Array.isArray(dryRun) || !dryRun.every((value) => typeof value === 'string')) throw wrongType('dryRun', '[]string');
  return {
    gracePeriodSeconds: field(body, 'gracePeriodSeconds', 'number', 'int64'),
    orphanDependents: field(body, 'orphanDependents', 'boolean', 'bool'),
    propagationPolicy: field(body, 'propagationPolicy', 'string', 'string'),
    dryRun,
    preconditions: preconditionsOf(body['preconditions']),
  };
}

function preconditionsOf(value: Json | undefined): DeleteOptions['preconditions'] {
  if (value === undefined || value === null) return undefined;
  if (!isJsonObject(value)) throw wrongType('preconditions', 'v1.Preconditions');
  const uid = field(value, 'uid', 'string', 'string');
  const resourceVersion = field(value, 'resourceVersion', 'string', 'string');
  return { ...(uid === undefined ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) };
}

interface Scalars {
  readonly number: number;
  readonly boolean: boolean;
  readonly string: string;
}

function field<K extends keyof Scalars>(object: JsonObject, name: string, type: K, goType: string): Scalars[K] | undefined {
  const value = object[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== type || (type === 'number' && !Number.isInteger(value))) throw wrongType(name, goType);
  return value as Scalars[K];
}

const wrongType = (name: string, goType: string): Error =>
  newBadRequest(`json: cannot unmarshal value into Go struct field DeleteOptions.${name} of type ${goType}`);
