import { StatusError } from '@orrery/apimachinery';
import { anonymousUser, authenticate, type Credentials } from '../authentication/authenticator.ts';
import { bearerTokenOf } from '../authentication/bearer-token.ts';
import { certificateOf } from '../authentication/certificate.ts';
import { impersonatedUser } from '../authentication/impersonation.ts';
import { type Attributes, forbiddenError } from '../authorization/authorizer.ts';
import type { UserInfo } from '../definition.ts';
import type { ServerContext } from './context.ts';
import { connectionOf, type HttpRequest } from './exchange.ts';
import type { RequestInfo } from './request-info.ts';

/** Anybody may ask whether the server lives and what it is. */
const publicPath = /^\/(?:version\/?|(?:healthz|livez|readyz)(?:\/.*)?)$/;

const isPublic = (info: RequestInfo): boolean =>
  info.type === 'path' && (info.verb === 'get' || info.verb === 'head') && publicPath.test(info.path);

/** As whom the request acts. @throws {StatusError} 401, without saying why: the log knows; 403 when it may not act as another. */
export async function identify(context: ServerContext, request: HttpRequest, info: RequestInfo, signal: AbortSignal): Promise<UserInfo> {
  const certificate = certificateOf(connectionOf(request));
  if (certificate === 'unverified') throw refuse(context, 'the client certificate is not signed by the client CA');
  const credentials: Credentials = {
    certificate: certificate === 'none' ? undefined : certificate,
    token: bearerTokenOf(request.headers),
    headers: request.headers,
  };
  const { user, refusal } = await authenticate(context.authenticators, credentials, signal);
  if (user !== undefined) return (await impersonatedUser(request.rawHeaders, user, context.authorizer, signal)) ?? user;
  if (refusal === undefined && (isPublic(info) || context.anonymousPaths.has(info.path))) return anonymousUser;
  throw refuse(context, refusal ?? 'no credentials');
}

function refuse({ log }: ServerContext, reason: unknown): StatusError {
  log.debug('request refused: not authenticated', { reason });
  return new StatusError('Unauthorized', 'Unauthorized');
}

/** What the rules are asked about this request. */
export function attributesOf(info: RequestInfo, user: UserInfo): Attributes {
  if (info.type === 'path') return { type: 'path', user, verb: info.verb, path: info.path };
  const { verb, group, version, resource, subresource, namespace } = info;
  return { type: 'resource', user, verb, group, version, resource, subresource, namespace, name: info.name || info.selectedName };
}

/** @throws {StatusError} 403 with upstream's text. */
export async function permit(context: ServerContext, info: RequestInfo, user: UserInfo, signal: AbortSignal): Promise<void> {
  if (isPublic(info)) return;
  const attributes = attributesOf(info, user);
  const decided = context.authorizer.authorize(attributes, signal);
  const { decision, reason } = decided instanceof Promise ? await decided : decided;
  if (decision !== 'allow') throw forbiddenError(attributes, reason);
}
