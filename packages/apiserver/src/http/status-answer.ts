import { isStatusError, newInternalError, StatusError } from '@orrery/apimachinery';

/** The request ended because nobody waits for its answer any more. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';
}

/** What a client is told of an error; strangers become 500. */
export function statusErrorOf(error: unknown): StatusError {
  return isStatusError(error) ? error : newInternalError(error);
}

export const requestTimedOut = (): StatusError =>
  new StatusError('Timeout', 'Timeout: request did not complete within the allotted timeout', {});

/** Too much at once; the client tries again after `retryAfterSeconds`. */
export const tooManyRequests = (message: string, retryAfterSeconds = 1): StatusError =>
  new StatusError('TooManyRequests', message, { retryAfterSeconds });

/** No such path, resource or subresource. The text is what clients of upstream see. */
export const pathNotFound = (): StatusError => new StatusError('NotFound', 'the server could not find the requested resource', {});

export const methodNotAllowed = (): StatusError =>
  new StatusError('MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
