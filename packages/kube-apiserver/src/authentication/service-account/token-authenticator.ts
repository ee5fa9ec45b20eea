import { nodes, pods, secrets, serviceAccounts } from '@orrery/api';
import type { Secret, ServiceAccount } from '@orrery/api/core/v1';
import { isNotFound, type JsonObject, type KubeObject, type NamespacedName, type Resource } from '@orrery/apimachinery';
import { type Authenticated, type Authenticator, newTokenAuthenticator } from '@orrery/apiserver';
import type { Clock } from '@orrery/base';
import type { Client } from '@orrery/client';
import { type BoundClaims, decodeClaims, LEGACY_ISSUER, type Reference, usernameOf } from './claims.ts';
import { type ParsedJwt, parseJwt } from './jwt.ts';
import type { SigningKey } from './signing-key.ts';

export interface ServiceAccountTokenOptions {
  readonly key: SigningKey;
  readonly issuer: string;
  /** Whom a token must be meant for when it is shown to the API server itself. */
  readonly audiences: readonly string[];
  readonly client: Pick<Client, 'get'>;
  readonly clock: Clock;
}

/** A deleted object's tokens go on working for this long: what runs there may be about to end. Source: jwt.DefaultLeeway. */
const LEEWAY_MS = 60_000;
/** Tokens whose signature was found good, newest last: verifying one costs more than all else about it. */
const VERIFIED_MAX = 4096;

const INVALIDATED = 'service account token has been invalidated';

/** Knows the tokens of service accounts: bound ones (by their issuer) and those in Secrets. Source: pkg/serviceaccount. */
export function newServiceAccountAuthenticator(options: ServiceAccountTokenOptions): Authenticator {
  const { key, issuer } = options;
  const verified = new Map<string, ParsedJwt>();

  const verify = (token: string): ParsedJwt | undefined => {
    const known = verified.get(token);
    if (known !== undefined) return known;
    const parsed = parseJwt(token);
    const { iss } = parsed?.claims ?? {};
    if (parsed === undefined || (iss !== issuer && iss !== LEGACY_ISSUER)) return undefined;
    if (parsed.header['alg'] !== key.algorithm || !key.verify(parsed.signed, parsed.signature)) throw new Error('signature is not valid');
    const [oldest] = verified.size >= VERIFIED_MAX ? verified.keys() : [];
    if (oldest !== undefined) verified.delete(oldest);
    verified.set(token, parsed);
    return parsed;
  };

  return newTokenAuthenticator('service-account', async (token, wanted) => {
    const parsed = verify(token);
    if (parsed === undefined) return undefined;
    const { claims } = parsed;
    if (claims['iss'] === LEGACY_ISSUER) return await legacyToken(options, token, claims, wanted);
    return await boundToken(options, claims, wanted);
  });
}

async function boundToken(
  options: ServiceAccountTokenOptions,
  raw: JsonObject,
  wanted: readonly string[] = options.audiences,
): Promise<Authenticated> {
  const claims = decodeClaims(raw);
  if (claims === undefined) throw new Error('the token does not say whose it is');
  const audiences = wanted.filter((audience) => claims.audiences.includes(audience));
  if (audiences.length === 0) {
    throw new Error(`token audiences ${list(claims.audiences)} is invalid for the target audiences ${list(wanted)}`);
  }
  const now = options.clock.now();
  if (now > claims.expiresAt * 1000) throw new Error('service account token has expired');
  if (now + LEEWAY_MS < claims.notBefore * 1000) throw new Error('service account token is not valid yet');
  await checkReferences(options, claims);
  return { user: boundUser(claims), audiences };
}

const list = (texts: readonly string[]): string => `[${texts.map((text) => JSON.stringify(text)).join(' ')}]`;

async function checkReferences(options: ServiceAccountTokenOptions, claims: BoundClaims): Promise<void> {
  const { namespace, serviceAccount, pod, secret, node } = claims;
  await checkAccount(options, namespace, serviceAccount);
  if (secret !== undefined) await checkBound(options, secrets, { namespace, name: secret.name }, secret, 'secret', 'secret ref');
  if (pod !== undefined) await checkBound(options, pods, { namespace, name: pod.name }, pod, 'pod', 'pod ref');
  // A pod's token names the node for information; a token bound to the node itself ends with it.
  if (node !== undefined && pod === undefined) await checkBound(options, nodes, { name: node.name }, node, 'node', 'node ref');
}

async function checkAccount(options: ServiceAccountTokenOptions, namespace: string, { name, uid }: Reference): Promise<ServiceAccount> {
  const account = await options.client.get(serviceAccounts, { namespace, name });
  if (isLongDeleted(options.clock, account)) throw new Error(`service account ${namespace}/${name} has been deleted`);
  if (account.metadata.uid !== uid) throw new Error(`service account UID (${account.metadata.uid}) does not match claim (${uid})`);
  return account;
}

async function checkBound<T extends KubeObject>(
  { client, clock }: ServiceAccountTokenOptions,
  resource: Resource<T>,
  key: NamespacedName,
  { uid }: Reference,
  what: string,
  claim: string,
): Promise<void> {
  const object = await client.get(resource, key).catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });
  if (object === undefined || isLongDeleted(clock, object)) throw new Error(INVALIDATED);
  if (object.metadata.uid !== uid) {
    throw new Error(`${what} UID (${object.metadata.uid}) does not match service account ${claim} claim (${uid})`);
  }
}

function isLongDeleted(clock: Clock, { metadata }: KubeObject): boolean {
  const { deletionTimestamp } = metadata;
  return deletionTimestamp !== undefined && Date.parse(deletionTimestamp) < clock.now() - LEEWAY_MS;
}

function boundUser({ namespace, serviceAccount, id, pod, node }: BoundClaims): Authenticated['user'] {
  const extra: Record<string, readonly string[]> = {};
  const prefix = 'authentication.kubernetes.io';
  if (id !== '') extra[`${prefix}/credential-id`] = [`JTI=${id}`];
  if (pod !== undefined) {
    extra[`${prefix}/pod-name`] = [pod.name];
    extra[`${prefix}/pod-uid`] = [pod.uid];
  }
  if (node !== undefined) {
    extra[`${prefix}/node-name`] = [node.name];
    if (node.uid !== '') extra[`${prefix}/node-uid`] = [node.uid];
  }
  return { ...accountUser(namespace, serviceAccount), extra };
}

const accountUser = (namespace: string, { name, uid }: Reference): Authenticated['user'] => ({
  username: usernameOf(namespace, name),
  uid,
  groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
});

/** A token that lives as long as the Secret that holds it. It is meant for the API server alone. */
async function legacyToken(
  options: ServiceAccountTokenOptions,
  token: string,
  claims: JsonObject,
  wanted: readonly string[] = options.audiences,
): Promise<Authenticated> {
  const claim = (name: string): string => String(claims[`kubernetes.io/serviceaccount/${name}`] ?? '');
  const namespace = claim('namespace');
  const account: Reference = { name: claim('service-account.name'), uid: claim('service-account.uid') };
  if (claims['sub'] !== usernameOf(namespace, account.name)) throw new Error('sub claim is invalid');
  const audiences = wanted.filter((audience) => options.audiences.includes(audience));
  if (audiences.length === 0) throw new Error(`token is not meant for the target audiences ${list(wanted)}`);
  const secret: Secret | undefined = await options.client
    .get(secrets, { namespace, name: claim('secret.name') })
    .catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
  const held = Buffer.from(secret?.data?.['token'] ?? '', 'base64').toString();
  if (secret === undefined || isLongDeleted(options.clock, secret) || held !== token) throw new Error(INVALIDATED);
  await checkAccount(options, namespace, account);
  return { user: accountUser(namespace, account), audiences };
}
