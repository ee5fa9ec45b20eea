import { isJsonObject, type JsonObject } from '@orrery/apimachinery';
import type { SigningKey } from './signing-key.ts';

/** A token in its compact form, read but not verified. */
export interface ParsedJwt {
  readonly header: JsonObject;
  readonly claims: JsonObject;
  /** What was signed. */
  readonly signed: string;
  readonly signature: Buffer;
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A signed token in compact form. Source: RFC 7515, RFC 7519. */
export function signJwt(key: SigningKey, claims: object): string {
  const text = `${encode({ alg: key.algorithm, kid: key.id })}.${encode(claims)}`;
  return `${text}.${key.sign(text).toString('base64url')}`;
}

const compact = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/;

/** Undefined: no such token. */
export function parseJwt(token: string): ParsedJwt | undefined {
  const match = compact.exec(token);
  const header = decode(match?.[1]);
  const claims = decode(match?.[2]);
  if (match === null || header === undefined || claims === undefined) return undefined;
  return { header, claims, signed: `${match[1]}.${match[2]}`, signature: Buffer.from(match[3] ?? '', 'base64url') };
}

function decode(part: string | undefined): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part ?? '', 'base64url').toString('utf8'));
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
