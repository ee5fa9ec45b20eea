import { timingSafeEqual } from 'node:crypto';
import { secrets } from '@orrery/api';
import type { Secret } from '@orrery/api/core/v1';
import { isNotFound } from '@orrery/apimachinery';
import { type Authenticator, newTokenAuthenticator } from '@orrery/apiserver';
import type { Clock } from '@orrery/base';
import type { Client } from '@orrery/client';

const TYPE = 'bootstrap.kubernetes.io/token';
const GROUP = 'system:bootstrappers';
const format = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const extraGroup = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;

const textOf = ({ data = {} }: Secret, key: string): string => Buffer.from(data[key] ?? '', 'base64').toString();

/** Knows the tokens by which machines join: `abcdef.0123456789abcdef`, kept as Secrets in kube-system. Source: bootstrap token authentication. */
export function newBootstrapTokenAuthenticator(client: Pick<Client, 'get'>, clock: Clock): Authenticator {
  return newTokenAuthenticator('bootstrap-token', async (token, audiences) => {
    const match = format.exec(token);
    const [, id = '', given = ''] = match ?? [];
    if (match === null || audiences !== undefined) return undefined; // Meant for the API server alone.
    const secret = await client.get(secrets, { namespace: 'kube-system', name: `bootstrap-token-${id}` }).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    if (secret === undefined || secret.metadata.deletionTimestamp !== undefined || secret.type !== TYPE) return undefined;
    if (textOf(secret, 'token-id') !== id || !sameText(textOf(secret, 'token-secret'), given)) return undefined;
    const expiration = textOf(secret, 'expiration');
    if (expiration !== '' && !(Date.parse(expiration) > clock.now())) return undefined;
    if (textOf(secret, 'usage-bootstrap-authentication') !== 'true') return undefined;
    const groups = textOf(secret, 'auth-extra-groups')
      .split(',')
      .filter((group) => group !== '');
    if (groups.some((group) => !extraGroup.test(group))) return undefined;
    return { user: { username: `system:bootstrap:${id}`, groups: [GROUP, ...groups] } };
  });
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
