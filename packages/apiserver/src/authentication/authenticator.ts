import type { UserInfo } from '../definition.ts';

/** What a connection and a request's headers say about who asks. */
export interface Credentials {
  /** Of the TLS connection; present only when it was verified against the client CA. */
  readonly certificate: VerifiedCertificate | undefined;
  /** From `Authorization: Bearer …`, or the WebSocket subprotocol that carries one. */
  readonly token: string | undefined;
  /** Lower-case names. For front proxies. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Whom a token must be meant for: at least one of these. Absent: this API server. */
  readonly audiences?: readonly string[];
}

/** What an authenticator found out. */
export interface Authenticated {
  readonly user: UserInfo;
  /** Those of the wanted audiences that the token is meant for; absent: the authenticator knows of no audiences. */
  readonly audiences?: readonly string[];
}

export interface VerifiedCertificate {
  readonly commonName: string;
  readonly organizations: readonly string[];
  /** SHA-256 of the certificate, lower-case hex. */
  readonly fingerprint: string;
  /** Milliseconds since the epoch. Connections outlive certificates, so every request looks at it. */
  readonly notAfterMs: number;
}

/** One way to know who asks. Tried in order; the first that knows wins. */
export interface Authenticator {
  /** For logs and metrics: `x509`, `service-account`. */
  readonly name: string;
  /** Undefined: nothing here that this authenticator understands. Throws to refuse what it does understand; the client sees a 401. */
  authenticate(credentials: Credentials, signal: AbortSignal): Promise<Authenticated | undefined> | Authenticated | undefined;
}

export const anonymousUser: UserInfo = { username: 'system:anonymous', groups: ['system:unauthenticated'] };
/** Everybody who is somebody. */
export const authenticatedGroup = 'system:authenticated';

/** Nobody's token, as opposed to a token that somebody refused. */
export const unknownToken = new Error('no authenticator knows this token');

/** What all authenticators together found out. */
export interface Outcome {
  readonly user: UserInfo | undefined;
  /** As {@link Authenticated.audiences}. */
  readonly audiences: readonly string[] | undefined;
  /** Why nobody was found, for logs. */
  readonly refusal: unknown;
}

/**
 * Asks each authenticator. Credentials that were offered and refused are never anonymous.
 *
 * @returns The user with the group `system:authenticated` added, `refused`, or undefined when no credentials were offered.
 */
export async function authenticate(
  authenticators: readonly Authenticator[],
  credentials: Credentials,
  signal: AbortSignal,
): Promise<Outcome> {
  let refusal: unknown;
  for (const authenticator of authenticators) {
    try {
      const found = authenticator.authenticate(credentials, signal);
      const known = found instanceof Promise ? await found : found;
      if (known !== undefined) return { user: withAuthenticatedGroup(known.user), audiences: known.audiences, refusal: undefined };
    } catch (error) {
      refusal ??= error;
    }
  }
  if (refusal === undefined && credentials.token !== undefined) refusal = unknownToken;
  return { user: undefined, audiences: undefined, refusal };
}

function withAuthenticatedGroup(user: UserInfo): UserInfo {
  if (user.groups.includes(authenticatedGroup) || user.username === anonymousUser.username) return user;
  return { ...user, groups: [...user.groups, authenticatedGroup] };
}
