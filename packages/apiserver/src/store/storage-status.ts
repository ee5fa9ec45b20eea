import { type GroupResource, StatusError, type StatusReason } from '@orrery/apimachinery';
import { StorageError, type StorageErrorCode } from '@orrery/storage';

/** Codes that say no more than their own message. Watches and lists judge `Compacted` and `FutureRevision` themselves, with more detail. */
const translations: Readonly<Record<StorageErrorCode, { readonly reason: StatusReason; readonly code?: number }>> = {
  Compacted: { reason: 'Expired' },
  FutureRevision: { reason: 'Timeout' },
  NoSpace: { reason: 'InternalError', code: 507 },
  Corrupt: { reason: 'InternalError' },
  Locked: { reason: 'ServiceUnavailable' },
  VersionTooNew: { reason: 'InternalError' },
  LeaseNotFound: { reason: 'InternalError' },
  TooLarge: { reason: 'RequestEntityTooLarge' },
  Closed: { reason: 'ServiceUnavailable' },
};

/** The one border between storage errors and API errors. Strangers pass through unchanged. */
export function fromStorageError(error: unknown): unknown {
  if (!(error instanceof StorageError)) return error;
  const { reason, code } = translations[error.code];
  return new StatusError(reason, error.message, undefined, { cause: error, ...(code === undefined ? {} : { code }) });
}

const retrySeconds = 1;

/** 504: a version that the server has not reached. Source: storage.NewTooLargeResourceVersionError. */
export const newTooLargeResourceVersion = (wanted: number, current: number): StatusError =>
  new StatusError('Timeout', `Timeout: Too large resource version: ${wanted}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: retrySeconds,
  });

/** 410 for a list at a version that was compacted. */
export const newListExpired = (cause: unknown): StatusError =>
  new StatusError('Expired', 'The resourceVersion for the provided list is too old.', undefined, { cause });

/** 410 for a page whose version was compacted; `continueToken` goes on at the newest version, so the whole list is inconsistent. */
export const newContinueExpired = (continueToken: string, cause: unknown): StatusError =>
  new StatusError(
    'Expired',
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the ' +
      'continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with ' +
      'the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the ' +
      'first chunk was returned and now may show up in the list.',
    undefined,
    { cause, metadata: { continue: continueToken } },
  );

/** 410 for a watch from a version that was compacted. */
export const newWatchExpired = (wanted: number, oldest: number, cause: unknown): StatusError =>
  new StatusError('Expired', `too old resource version: ${wanted} (${oldest})`, undefined, { cause });

/** 409 when an object is written at a version that is no longer its newest. Source: registry.OptimisticLockErrorMsg. */
export const staleObjectDetail = 'the object has been modified; please apply your changes to the latest version and try again';

/** The text of a failed precondition: that of upstream's storage layer, which clients get to see. */
export const failedPrecondition = (key: string, name: 'UID' | 'ResourceVersion', wanted: string, found: string): string =>
  `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: ` +
  `${name} in precondition: ${wanted}, ${name} in object meta: ${found}`;

/** 409 of a generated name that is taken: worth a retry. Source: errors.NewGenerateNameConflict. */
export function newGenerateNameConflict({ group, resource }: GroupResource, qualified: string, name: string): StatusError {
  const message = `${qualified} "${name}" already exists, the server was not able to generate a unique name for the object`;
  return new StatusError('AlreadyExists', message, {
    name,
    ...(group === '' ? {} : { group }),
    kind: resource,
    retryAfterSeconds: retrySeconds,
  });
}
