import { newBadRequest, StatusError } from '../errors/status-error.ts';

/**
 * A well-formed patch that does not fit the object. Upstream answers 422 and keeps the cause to itself; we keep it in `cause`.
 * Source: NewGenericServerResponse(422).
 */
export const unprocessablePatch = (cause: string): StatusError =>
  new StatusError('Invalid', 'the server rejected our request due to an error in our request', {}, { cause: new Error(cause) });

/** A failure inside strategic merge: upstream answers 500 without a reason, with this text. */
export const failedPatch = (message: string): StatusError => new StatusError('', message, undefined, { code: 500 });

/** Runs a recursive reading of client data; too deep a nesting becomes a Status instead of an overflow. */
export function boundedDepth<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof RangeError) throw newBadRequest('exceeded max depth');
    throw error;
  }
}
