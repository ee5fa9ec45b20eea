import type { ListMeta, Status, StatusCause, StatusDetails } from '../generated/meta-v1.ts';
import type { GroupResource } from '../object.ts';
import { qualifiedResource } from '../object.ts';

/** Machine-readable cause and its HTTP code. Keys are wire format: add, never rename. Source: metav1.StatusReason. */
const httpCodes = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
  Gone: 410,
  Expired: 410,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  TooManyRequests: 429,
  InternalError: 500,
  ServiceUnavailable: 503,
  Timeout: 504,
  ServerTimeout: 504,
} as const;
export type StatusReason = keyof typeof httpCodes;

const brand = Symbol.for('orrery/apimachinery/StatusError'); // Survives two copies of this package.

/** The only error that may leave an API handler. Do not subclass it: add a reason. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly [brand] = true;
  readonly reason: StatusReason | '';
  readonly code: number;
  readonly details: StatusDetails | undefined;
  /** Of an expired list: the token with which it can go on. */
  readonly metadata: ListMeta;

  /** @param reason - Empty for a failure that upstream leaves unnamed: code 500 unless told. */
  constructor(
    reason: StatusReason | '',
    message: string,
    details?: StatusDetails,
    options?: ErrorOptions & { code?: number; metadata?: ListMeta },
  ) {
    super(message, options);
    this.reason = reason;
    this.code = options?.code ?? (reason === '' ? 500 : httpCodes[reason]);
    this.details = details;
    this.metadata = options?.metadata ?? {};
  }

  /** The `Status` object that goes over the wire. */
  toStatus(): Status {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: this.metadata,
      status: 'Failure',
      message: this.message,
      ...(this.reason === '' ? {} : { reason: this.reason }),
      ...(this.details === undefined ? {} : { details: this.details }),
      code: this.code,
    };
  }
}

/** The error that a received `Status` describes. */
export function statusErrorFrom(status: Partial<Status>, fallbackCode = 500): StatusError {
  const code = status.code ?? fallbackCode;
  const known = status.reason !== undefined && status.reason in httpCodes;
  const reason = known ? (status.reason as StatusReason) : reasonOfCode(code);
  return new StatusError(reason, status.message ?? `the server answered ${code}`, status.details, {
    code,
    metadata: status.metadata ?? {},
  });
}

function reasonOfCode(code: number): StatusReason {
  const entry = Object.entries(httpCodes).find(([, value]) => value === code);
  return (entry?.[0] as StatusReason | undefined) ?? 'InternalError';
}

const detailsOf = ({ group, resource }: GroupResource, name: string): StatusDetails => ({
  ...(name === '' ? {} : { name }),
  ...(group === '' ? {} : { group }),
  kind: resource,
});

export const newNotFound = (resource: GroupResource, name: string): StatusError =>
  new StatusError('NotFound', `${qualifiedResource(resource)} "${name}" not found`, detailsOf(resource, name));

export const newAlreadyExists = (resource: GroupResource, name: string): StatusError =>
  new StatusError('AlreadyExists', `${qualifiedResource(resource)} "${name}" already exists`, detailsOf(resource, name));

export const newConflict = (resource: GroupResource, name: string, detail: string): StatusError =>
  new StatusError(
    'Conflict',
    `Operation cannot be fulfilled on ${qualifiedResource(resource)} "${name}": ${detail}`,
    detailsOf(resource, name),
  );

export const newForbidden = (resource: GroupResource, name: string, detail: string): StatusError =>
  new StatusError(
    'Forbidden',
    name === ''
      ? `${qualifiedResource(resource)} is forbidden: ${detail}`
      : `${qualifiedResource(resource)} "${name}" is forbidden: ${detail}`,
    detailsOf(resource, name),
  );

/** @param kind - Kind and group, as `Pod` or `Deployment.apps`: validation failures name the kind, not the resource. */
export function newInvalid(
  { group, kind }: { readonly group: string; readonly kind: string },
  name: string,
  causes: readonly { readonly reason: string; readonly field: string; readonly message: string }[],
): StatusError {
  const shown = causes.map(({ field, message }) => `${field}: ${message}`);
  const text = shown.length === 1 ? shown[0] : `[${shown.join(', ')}]`;
  const qualified = group === '' ? kind : `${kind}.${group}`;
  const list: StatusCause[] = causes.map(({ reason, field, message }) => ({ reason, message, field }));
  return new StatusError('Invalid', `${qualified} "${name}" is invalid: ${text}`, {
    ...(name === '' ? {} : { name }),
    ...(group === '' ? {} : { group }),
    kind,
    causes: list,
  });
}

export const newBadRequest = (message: string): StatusError => new StatusError('BadRequest', message);

export const newMethodNotSupported = (resource: GroupResource, verb: string): StatusError =>
  new StatusError(
    'MethodNotAllowed',
    `${verb} is not supported on resources of kind "${qualifiedResource(resource)}"`,
    detailsOf(resource, ''),
  );

export const newInternalError = (cause: unknown): StatusError => {
  const message = cause instanceof Error ? cause.message : String(cause);
  return new StatusError('InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] }, { cause });
};

export const isStatusError = (err: unknown): err is StatusError => err instanceof Error && brand in err;
export const reasonOf = (err: unknown): StatusReason | '' | undefined => (isStatusError(err) ? err.reason : undefined);
export const isNotFound = (err: unknown): boolean => reasonOf(err) === 'NotFound';
export const isAlreadyExists = (err: unknown): boolean => reasonOf(err) === 'AlreadyExists';
export const isConflict = (err: unknown): boolean => reasonOf(err) === 'Conflict';
export const isInvalid = (err: unknown): boolean => reasonOf(err) === 'Invalid';
export const isForbidden = (err: unknown): boolean => reasonOf(err) === 'Forbidden';
/** 410: the revision asked for is gone; list again. */
export const isExpired = (err: unknown): boolean => reasonOf(err) === 'Expired' || reasonOf(err) === 'Gone';
