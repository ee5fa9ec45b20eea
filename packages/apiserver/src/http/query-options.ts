import { type FieldError, fieldPath, forbidden, invalid, newInvalid, notSupported, required, tooLong } from '@orrery/apimachinery';
import type { ApiVerb, PatchType, RequestOptions } from '@orrery/client';
import { booleanOf, integerOf } from './query-values.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/**
 * The options of one call, from its query string.
 *
 * @throws {StatusError} 400 for values that do not parse, 422 for combinations that are not allowed. Texts are upstream's.
 */
export function optionsOf(verb: ApiVerb, query: URLSearchParams, patchType: PatchType | undefined): RequestOptions {
  switch (verb) {
    case 'get':
      return withText({}, 'resourceVersion', query);
    case 'list':
    case 'watch':
    case 'deletecollection':
      return listOptionsOf(verb, query);
    case 'create':
    case 'update':
      return writeOptionsOf(verb === 'create' ? 'CreateOptions' : 'UpdateOptions', query, undefined);
    case 'patch':
      return writeOptionsOf('PatchOptions', query, patchType);
    case 'delete':
      return {};
  }
}

function withText<K extends keyof RequestOptions>(options: Mutable<RequestOptions>, key: K, query: URLSearchParams): RequestOptions {
  const value = query.get(key);
  if (value !== null && value !== '') options[key] = value as RequestOptions[K];
  return options;
}

function listOptionsOf(verb: 'list' | 'watch' | 'deletecollection', query: URLSearchParams): RequestOptions {
  const options: Mutable<RequestOptions> = {};
  for (const key of ['labelSelector', 'fieldSelector', 'resourceVersion', 'resourceVersionMatch', 'continue'] as const) {
    withText(options, key, query);
  }
  const limit = integerOf(query.get('limit'));
  if (limit !== undefined && limit > 0) options.limit = limit;
  const timeoutSeconds = integerOf(query.get('timeoutSeconds'));
  if (timeoutSeconds !== undefined) options.timeoutSeconds = timeoutSeconds;
  if (booleanOf(query.get('allowWatchBookmarks'))) options.allowWatchBookmarks = true;
  if (query.has('sendInitialEvents')) options.sendInitialEvents = booleanOf(query.get('sendInitialEvents'));
  throwInvalid('ListOptions', verb === 'watch' ? watchErrors(options) : listErrors(options));
  return options;
}

const matchField = fieldPath('resourceVersionMatch');
const initialField = fieldPath('sendInitialEvents');

/** Source: meta/internalversion `ValidateListOptions`. */
function listErrors(options: RequestOptions): FieldError[] {
  const errors: FieldError[] = [];
  const match: string | undefined = options.resourceVersionMatch;
  if (match !== undefined) {
    if (options.resourceVersion === undefined) {
      errors.push(forbidden(matchField, 'resourceVersionMatch is forbidden unless resourceVersion is provided'));
    }
    if (options.continue !== undefined) errors.push(forbidden(matchField, 'resourceVersionMatch is forbidden when continue is provided'));
    if (match !== 'Exact' && match !== 'NotOlderThan') errors.push(notSupported(matchField, match, ['Exact', 'NotOlderThan', '']));
    if (match === 'Exact' && options.resourceVersion === '0') {
      errors.push(forbidden(matchField, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
    }
  }
  if (options.sendInitialEvents !== undefined) errors.push(forbidden(initialField, 'sendInitialEvents is forbidden for list'));
  return errors;
}

function watchErrors(options: RequestOptions): FieldError[] {
  const errors: FieldError[] = [];
  const match: string | undefined = options.resourceVersionMatch;
  if (options.sendInitialEvents !== undefined && match !== 'NotOlderThan') {
    errors.push(forbidden(matchField, 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'));
  }
  if (match !== undefined) {
    if (options.sendInitialEvents === undefined) {
      errors.push(forbidden(matchField, 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'));
    }
    if (match !== 'NotOlderThan') errors.push(notSupported(matchField, match, ['NotOlderThan']));
    if (options.continue !== undefined) errors.push(forbidden(matchField, 'resourceVersionMatch is forbidden when continue is provided'));
  }
  return errors;
}

function writeOptionsOf(kind: string, query: URLSearchParams, patchType: PatchType | undefined): RequestOptions {
  const options: Mutable<RequestOptions> = {};
  const errors: FieldError[] = [];
  if (kind === 'PatchOptions') {
    const force = query.has('force');
    if (patchType === 'apply') {
      if (force) options.force = booleanOf(query.get('force'));
      if ((query.get('fieldManager') ?? '') === '') errors.push(required('fieldManager', 'is required for apply patch'));
    } else if (force) errors.push(forbidden('force', 'may not be specified for non-apply patch'));
  }
  withText(options, 'fieldManager', query);
  errors.push(...fieldManagerErrors(options.fieldManager ?? ''));
  const dryRun = query.getAll('dryRun');
  errors.push(...dryRunErrors(dryRun));
  if (dryRun.length > 0) options.dryRun = true;
  const validation = query.get('fieldValidation') ?? '';
  if (!['', 'Ignore', 'Warn', 'Strict'].includes(validation)) {
    errors.push(notSupported('fieldValidation', validation, ['', 'Ignore', 'Strict', 'Warn']));
  }
  withText(options, 'fieldValidation', query);
  throwInvalid(kind, errors);
  return options;
}

/** Longest field manager, in bytes. */
const fieldManagerBytesMax = 128;

function fieldManagerErrors(manager: string): FieldError[] {
  const errors: FieldError[] = [];
  if (Buffer.byteLength(manager) > fieldManagerBytesMax) errors.push(tooLong('fieldManager', fieldManagerBytesMax));
  let position = 0;
  for (const character of manager) {
    if (!/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(character)) {
      const code = character.codePointAt(0) ?? 0;
      const name = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
      errors.push(invalid('fieldManager', manager, `invalid character ${name} (at position ${position})`));
    }
    position += Buffer.byteLength(character);
  }
  return errors;
}

/** `All` is the one value. */
export function dryRunErrors(values: readonly string[]): FieldError[] {
  return values.every((value) => value === 'All') ? [] : [notSupported('dryRun', values, ['All'])];
}

/** @throws {StatusError} 422 when there are errors. */
export function throwInvalid(kind: string, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw newInvalid({ group: 'meta.k8s.io', kind }, '', errors);
}
