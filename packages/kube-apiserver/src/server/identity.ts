import {
  type Authenticator,
  type Authorizer,
  accessReviewDefinitions,
  type DocumentEndpoint,
  newMastersAuthorizer,
  type ResourceDefinition,
  type SubresourceHandler,
  selfSubjectReviewDefinition,
  tokenReviewDefinition,
} from '@orrery/apiserver';
import type { Clock, Random } from '@orrery/base';
import type { Client } from '@orrery/client';
import { DEFAULT_ISSUER } from '../authentication/service-account/claims.ts';
import { newOpenIdEndpoint } from '../authentication/service-account/discovery.ts';
import { newSigningKeyPem, readSigningKey } from '../authentication/service-account/signing-key.ts';
import { newServiceAccountAuthenticator } from '../authentication/service-account/token-authenticator.ts';
import { newTokenRequestHandler } from '../registry/core/serviceaccount/token.ts';

/** How service accounts' tokens are made. */
export interface ServiceAccountTokens {
  /** PEM of the private key, ECDSA P-256 or RSA: the same for the life of the cluster. @default a new one, for this process alone */
  readonly signingKey?: string | undefined;
  /** @default 'https://kubernetes.default.svc.cluster.local' */
  readonly issuer?: string | undefined;
}

export interface IdentityOptions {
  readonly tokens?: ServiceAccountTokens | undefined;
  /** The API, as the system; called only when requests come. */
  client(): Pick<Client, 'get' | 'list'>;
  readonly clock: Clock;
  readonly random: Random;
}

/** Who is who and who may do what: everything that the server needs for it. */
export interface Identity {
  /** Beside client certificates. */
  readonly authenticators: readonly Authenticator[];
  readonly authorizer: Authorizer;
  /** Reviews. */
  readonly definitions: readonly ResourceDefinition[];
  readonly subresources: Readonly<Record<string, SubresourceHandler>>;
  readonly documents: readonly DocumentEndpoint[];
}

export function newIdentity({ tokens = {}, client, clock, random }: IdentityOptions): Identity {
  const { issuer = DEFAULT_ISSUER, signingKey = newSigningKeyPem() } = tokens;
  const key = readSigningKey(signingKey);
  const audiences = [issuer];
  const late: Pick<Client, 'get'> = { get: (resource, name, options) => client().get(resource, name, options) };
  const authenticators = [newServiceAccountAuthenticator({ key, issuer, audiences, client: late, clock })];
  const authorizer = newMastersAuthorizer();
  return {
    authenticators,
    authorizer,
    definitions: [...accessReviewDefinitions(authorizer), selfSubjectReviewDefinition, tokenReviewDefinition(authenticators)],
    subresources: { 'serviceaccounts/token': newTokenRequestHandler({ key, issuer, audiences, clock, random }) },
    documents: [newOpenIdEndpoint(issuer, key)],
  };
}
