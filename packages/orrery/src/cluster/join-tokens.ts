import { secrets } from '@orrery/api';
import type { Secret } from '@orrery/api/core/v1';
import type { Clock, Random } from '@orrery/base';
import type { Client } from '@orrery/client';

const TYPE = 'bootstrap.kubernetes.io/token';
const NAMESPACE = 'kube-system';
const PREFIX = 'bootstrap-token-';
const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** A token by which machines join, as its Secret keeps it. */
export interface JoinTokenInfo {
  /** The whole token: `abcdef.0123456789abcdef`. */
  readonly token: string;
  /** RFC 3339; empty: it never ends. */
  readonly expires: string;
  readonly description: string;
}

const randomText = (random: Random, length: number): string =>
  Array.from({ length }, () => alphabet[random.integer(alphabet.length)]).join('');

/** Makes a token. @param ttlMs - 0: it never ends. */
export async function createJoinToken(
  client: Client,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
  ttlMs: number,
  description: string,
): Promise<JoinTokenInfo> {
  const [id, secret] = [randomText(random, 6), randomText(random, 16)];
  const expires = ttlMs === 0 ? '' : new Date(clock.now() + ttlMs).toISOString().replace(/\.\d+Z$/, 'Z');
  await client.create(secrets, {
    metadata: { name: PREFIX + id, namespace: NAMESPACE },
    type: TYPE,
    stringData: {
      'token-id': id,
      'token-secret': secret,
      'usage-bootstrap-authentication': 'true',
      'usage-bootstrap-signing': 'true',
      'auth-extra-groups': 'system:bootstrappers:kubeadm:default-node-token',
      ...(expires === '' ? {} : { expiration: expires }),
      ...(description === '' ? {} : { description }),
    },
  });
  return { token: `${id}.${secret}`, expires, description };
}

export async function listJoinTokens(client: Client): Promise<readonly JoinTokenInfo[]> {
  const { items } = await client.list(secrets, { namespace: NAMESPACE, fieldSelector: `type=${TYPE}` });
  return items.map(infoOf);
}

function infoOf({ data = {} }: Secret): JoinTokenInfo {
  const textOf = (key: string): string => Buffer.from(data[key] ?? '', 'base64').toString('utf8');
  return { token: `${textOf('token-id')}.${textOf('token-secret')}`, expires: textOf('expiration'), description: textOf('description') };
}

/** @param token - Whole, or its first six characters. @throws StatusError NotFound */
export async function deleteJoinToken(client: Client, token: string): Promise<void> {
  await client.delete(secrets, { namespace: NAMESPACE, name: PREFIX + (token.split('.')[0] ?? '') });
}
