import {
  type AdmissionPlugin,
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
import type { Logger } from '@orrery/component';
import { newCertificatePlugins } from '../admission/certificates/certificates.ts';
import { newNodeRestriction } from '../admission/node-restriction/node-restriction.ts';
import { newRbacEscalation } from '../admission/rbac-escalation/rbac-escalation.ts';
import { newBootstrapTokenAuthenticator } from '../authentication/bootstrap-token/bootstrap-token.ts';
import { DEFAULT_ISSUER } from '../authentication/service-account/claims.ts';
import { newOpenIdEndpoint } from '../authentication/service-account/discovery.ts';
import { newSigningKeyPem, readSigningKey } from '../authentication/service-account/signing-key.ts';
import { newServiceAccountAuthenticator } from '../authentication/service-account/token-authenticator.ts';
import { newNodeAuthorizer } from '../authorization/node/node-authorizer.ts';
import { newRbacAuthorizer } from '../authorization/rbac/rbac-authorizer.ts';
import { newRbacRules } from '../authorization/rbac/rbac-rules.ts';
import { newUnionAuthorizer } from '../authorization/union.ts';
import { newTokenRequestHandler } from '../registry/core/serviceaccount/token.ts';

/** Whoever wants to join reads it before he has any credentials; the token signs it. */
const CLUSTER_INFO_PATH = '/api/v1/namespaces/kube-public/configmaps/cluster-info';

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
  client(): Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
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
  readonly admission: readonly AdmissionPlugin[];
  readonly anonymousPaths: readonly string[];
  /** Keeps the rules current until `signal` aborts. Before they are {@link Identity.synced} only members of `system:masters` may do anything. */
  run(signal: AbortSignal): Promise<void>;
  /** Rejects with the signal's reason when that comes first. */
  synced(signal: AbortSignal): Promise<void>;
}

export function newIdentity({ tokens = {}, client, clock, random, log }: IdentityOptions): Identity {
  const { issuer = DEFAULT_ISSUER, signingKey = newSigningKeyPem() } = tokens;
  const key = readSigningKey(signingKey);
  const audiences = [issuer];
  const reader: Pick<Client, 'get' | 'list' | 'watch'> = {
    get: (resource, name, options) => client().get(resource, name, options),
    list: (resource, scope) => client().list(resource, scope),
    watch: (resource, scope) => client().watch(resource, scope),
  };
  const authenticators = [
    newServiceAccountAuthenticator({ key, issuer, audiences, client: reader, clock }),
    newBootstrapTokenAuthenticator(reader, clock),
  ];
  const rbac = newRbacRules(reader, { clock, log });
  const authorizer = newUnionAuthorizer([newMastersAuthorizer(), newNodeAuthorizer(reader), newRbacAuthorizer(rbac)]);
  return {
    authenticators,
    authorizer,
    definitions: [...accessReviewDefinitions(authorizer), selfSubjectReviewDefinition, tokenReviewDefinition(authenticators)],
    subresources: { 'serviceaccounts/token': newTokenRequestHandler({ key, issuer, audiences, clock, random }) },
    documents: [newOpenIdEndpoint(issuer, key)],
    admission: [newNodeRestriction({ client, clock, random }), newRbacEscalation(rbac, authorizer), ...newCertificatePlugins(authorizer)],
    anonymousPaths: [CLUSTER_INFO_PATH],
    run: (signal) => rbac.informers.run(signal),
    synced: (signal) => rbac.informers.waitForSync(signal),
  };
}
