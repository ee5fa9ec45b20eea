import { newBadRequest, newInternalError, qualifiedResource, StatusError, type StatusReason } from '@orrery/apimachinery';
import type { ResourceRequestInfo } from '../request-info.ts';

/** The target cannot be reached. */
export function unreachable(error: unknown): StatusError {
  const message = error instanceof Error ? error.message : String(error);
  return new StatusError('ServiceUnavailable', `error trying to reach service: ${message}`, undefined, { cause: error });
}

/** What a target's refusal means for the resource. Source: upstream's `GenericHttpResponseChecker`. */
export function targetRefusal(code: number, text: string, info: ResourceRequestInfo): StatusError {
  if (code === 500) return newInternalError(text);
  if (code === 400) return newBadRequest(text);
  const { reason, sentence } = sentences[code] ?? {
    reason: 'InternalError' as const,
    sentence: `the server responded with the status code ${code} but did not return more information`,
  };
  const resource = qualifiedResource({ group: info.group, resource: `${info.resource}/${info.subresource}` });
  const details = {
    ...(info.name === '' ? {} : { name: info.name }),
    kind: `${info.resource}/${info.subresource}`,
    ...(code === 404 ? { causes: [{ reason: 'UnexpectedServerResponse', message: text }] } : {}),
  };
  return new StatusError(reason, `${sentence} ( ${resource} ${info.name})`, details, { code });
}

const sentences: Readonly<Record<number, { readonly reason: StatusReason; readonly sentence: string }>> = {
  401: { reason: 'Unauthorized', sentence: 'the server has asked for the client to provide credentials' },
  403: { reason: 'Forbidden', sentence: 'the server does not allow access to the requested resource' },
  404: { reason: 'NotFound', sentence: 'the server could not find the requested resource' },
  405: { reason: 'MethodNotAllowed', sentence: 'the server does not allow this method on the requested resource' },
  429: { reason: 'TooManyRequests', sentence: 'the server has received too many requests and has asked us to try again later' },
  503: { reason: 'ServiceUnavailable', sentence: 'the server is currently unable to handle the request' },
  504: {
    reason: 'Timeout',
    sentence: 'the server was unable to return a response in the time allotted, but may still be processing the request',
  },
};
