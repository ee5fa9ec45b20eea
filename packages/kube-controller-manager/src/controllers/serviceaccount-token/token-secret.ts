import type { Secret, ServiceAccount } from '@orrery/api/core/v1';

const TYPE = 'kubernetes.io/service-account-token';
const NAME = 'kubernetes.io/service-account.name';
const UID = 'kubernetes.io/service-account.uid';

export const isTokenSecret = (secret: Secret): boolean => secret.type === TYPE && namedAccount(secret).name !== '';

/** The account that a Secret is for; an empty uid: whichever has the name. */
export function namedAccount({ metadata: { annotations = {} } }: Secret): { readonly name: string; readonly uid: string } {
  return { name: annotations[NAME] ?? '', uid: annotations[UID] ?? '' };
}

const encode = (text: string): string => Buffer.from(text).toString('base64');

/** The Secret with all that belongs in it; undefined when nothing is missing. */
export function completeSecret(
  secret: Secret,
  account: ServiceAccount,
  rootCa: string | undefined,
  signToken: (claims: object) => string,
): Secret | undefined {
  const { name, uid, namespace = '' } = account.metadata;
  const data: Record<string, string> = { ...secret.data };
  if (rootCa !== undefined) data['ca.crt'] = encode(rootCa);
  data['namespace'] ??= encode(namespace);
  data['token'] ??= encode(signToken(claimsOf(secret.metadata.name, namespace, name, uid)));
  const complete = secret.metadata.annotations?.[UID] === uid && Object.entries(data).every(([key, value]) => secret.data?.[key] === value);
  if (complete) return undefined;
  return { ...secret, metadata: { ...secret.metadata, annotations: { ...secret.metadata.annotations, [UID]: uid } }, data };
}

/** Source: upstream's legacy claims. Such a token has no end but that of its Secret. */
function claimsOf(secretName: string, namespace: string, name: string, uid: string): object {
  const prefix = 'kubernetes.io/serviceaccount';
  return {
    iss: 'kubernetes/serviceaccount',
    [`${prefix}/namespace`]: namespace,
    [`${prefix}/secret.name`]: secretName,
    [`${prefix}/service-account.name`]: name,
    [`${prefix}/service-account.uid`]: uid,
    sub: `system:serviceaccount:${namespace}:${name}`,
  };
}
