import { createHmac } from 'node:crypto';
import type { Secret } from '@orrery/api/core/v1';

const TYPE = 'bootstrap.kubernetes.io/token';

/** A token by which machines join, as its Secret keeps it. */
export interface BootstrapToken {
  readonly id: string;
  readonly secret: string;
  /** Milliseconds since the epoch; undefined: never. */
  readonly expiresAtMs: number | undefined;
  readonly signs: boolean;
}

/** Undefined: no such token. Source: the bootstrap token's Secret format. */
export function bootstrapTokenOf({ metadata, type, data = {} }: Secret): BootstrapToken | undefined {
  const textOf = (key: string): string => Buffer.from(data[key] ?? '', 'base64').toString();
  const [id, secret, expiration] = [textOf('token-id'), textOf('token-secret'), textOf('expiration')];
  if (type !== TYPE || metadata.namespace !== 'kube-system' || metadata.name !== `bootstrap-token-${id}` || secret === '') return undefined;
  const expiresAtMs = Date.parse(expiration);
  return {
    id,
    secret,
    // What cannot be read has ended: it must not live for ever.
    expiresAtMs: expiration === '' ? undefined : Number.isNaN(expiresAtMs) ? 0 : expiresAtMs,
    signs: textOf('usage-bootstrap-signing') === 'true',
  };
}

/** A detached JWS of the text by the token's secret: whoever knows the token knows that the text is the cluster's. Source: RFC 7515. */
export function signDetached(text: string, { id, secret }: Pick<BootstrapToken, 'id' | 'secret'>): string {
  const header = Buffer.from(JSON.stringify({ alg: 'HS256', kid: id })).toString('base64url');
  const signature = createHmac('sha256', secret)
    .update(`${header}.${Buffer.from(text).toString('base64url')}`)
    .digest('base64url');
  return `${header}..${signature}`;
}
