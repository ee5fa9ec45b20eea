import { isJsonObject, type Json, type JsonObject } from '@orrery/apimachinery';

/** The issuer of tokens, and whom they are meant for when nobody else is named. Source: kubeadm's defaults. */
export const DEFAULT_ISSUER = 'https://kubernetes.default.svc.cluster.local';
/** The issuer of tokens that live in Secrets. */
export const LEGACY_ISSUER = 'kubernetes/serviceaccount';

export const usernameOf = (namespace: string, name: string): string => `system:serviceaccount:${namespace}:${name}`;

/** An object as a token names it. */
export interface Reference {
  readonly name: string;
  readonly uid: string;
}

/** What a bound token says. Times in whole seconds since the epoch. Source: upstream's private claims `kubernetes.io`. */
export interface BoundClaims {
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly expiresAt: number;
  readonly issuedAt: number;
  readonly notBefore: number;
  /** Identifies this token in audit logs. */
  readonly id: string;
  readonly namespace: string;
  readonly serviceAccount: Reference;
  readonly pod?: Reference | undefined;
  readonly secret?: Reference | undefined;
  readonly node?: Reference | undefined;
  /** From then on the token should have been replaced, though it still holds. */
  readonly warnAfter?: number | undefined;
}

/** As written in the token: registered claims, then Kubernetes' own. */
export function encodeClaims(claims: BoundClaims): JsonObject {
  const { issuer, audiences, expiresAt, issuedAt, notBefore, id, namespace, serviceAccount, pod, secret, node, warnAfter } = claims;
  const shown = (reference: Reference): JsonObject => ({ name: reference.name, ...(reference.uid === '' ? {} : { uid: reference.uid }) });
  return {
    aud: [...audiences],
    exp: expiresAt,
    iat: issuedAt,
    iss: issuer,
    jti: id,
    'kubernetes.io': {
      namespace,
      ...(node === undefined ? {} : { node: shown(node) }),
      ...(pod === undefined ? {} : { pod: shown(pod) }),
      ...(secret === undefined ? {} : { secret: shown(secret) }),
      serviceaccount: shown(serviceAccount),
      ...(warnAfter === undefined ? {} : { warnafter: warnAfter }),
    },
    nbf: notBefore,
    sub: usernameOf(namespace, serviceAccount.name),
  };
}

/** Undefined when a claim that every bound token has is missing or of another type. */
export function decodeClaims(claims: JsonObject): BoundClaims | undefined {
  const own = claims['kubernetes.io'];
  if (!isJsonObject(own)) return undefined;
  const serviceAccount = referenceOf(own['serviceaccount']);
  const { iss, exp, iat, nbf, jti } = claims;
  const { namespace, warnafter } = own;
  if (serviceAccount === undefined || typeof namespace !== 'string' || typeof iss !== 'string' || typeof exp !== 'number') return undefined;
  return {
    issuer: iss,
    audiences: audiencesOf(claims['aud']),
    expiresAt: exp,
    issuedAt: typeof iat === 'number' ? iat : 0,
    notBefore: typeof nbf === 'number' ? nbf : 0,
    id: typeof jti === 'string' ? jti : '',
    namespace,
    serviceAccount,
    pod: referenceOf(own['pod']),
    secret: referenceOf(own['secret']),
    node: referenceOf(own['node']),
    warnAfter: typeof warnafter === 'number' ? warnafter : undefined,
  };
}

function referenceOf(value: Json | undefined): Reference | undefined {
  if (!isJsonObject(value)) return undefined;
  const { name, uid } = value;
  return typeof name === 'string' ? { name, uid: typeof uid === 'string' ? uid : '' } : undefined;
}

function audiencesOf(value: Json | undefined): readonly string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
