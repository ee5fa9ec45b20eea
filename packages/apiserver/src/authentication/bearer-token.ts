import type { Authenticated, Authenticator } from './authenticator.ts';

/**
 * Says whose a token is. Undefined: not one of mine. Throws to refuse.
 *
 * @param audiences - Whom the token must be meant for, one of them at least; undefined: this API server.
 */
export type TokenReviewer = (
  token: string,
  audiences: readonly string[] | undefined,
  signal: AbortSignal,
) => Promise<Authenticated | undefined> | Authenticated | undefined;

export function newTokenAuthenticator(name: string, review: TokenReviewer): Authenticator {
  return {
    name,
    authenticate: ({ token, audiences }, signal) => (token === undefined ? undefined : review(token, audiences, signal)),
  };
}

/** Browsers cannot set headers on a WebSocket, so the token comes as a subprotocol. Source: Kubernetes' websocket token protocol. */
const protocolPrefix = 'base64url.bearer.authorization.k8s.io.';

/** The bearer token of a request; undefined when there is none. */
export function bearerTokenOf(headers: Readonly<Record<string, string | readonly string[] | undefined>>): string | undefined {
  const { authorization } = headers;
  if (typeof authorization === 'string') {
    const match = /^bearer +(\S.*)$/i.exec(authorization.trim());
    return match?.[1]?.trim();
  }
  const offered = protocolsOf(headers).find((protocol) => protocol.startsWith(protocolPrefix));
  if (offered === undefined) return undefined;
  const token = Buffer.from(offered.slice(protocolPrefix.length), 'base64url').toString('utf8');
  return token === '' ? undefined : token;
}

/** The offered WebSocket subprotocols without the one that carries the token: that must not travel further. */
export function protocolsWithoutToken(headers: Readonly<Record<string, string | readonly string[] | undefined>>): readonly string[] {
  return protocolsOf(headers).filter((protocol) => !protocol.startsWith(protocolPrefix));
}

function protocolsOf(headers: Readonly<Record<string, string | readonly string[] | undefined>>): string[] {
  const value = headers['sec-websocket-protocol'];
  if (typeof value !== 'string') return [];
  return value
    .split(',')
    .map((protocol) => protocol.trim())
    .filter((protocol) => protocol !== '');
}
