import { isJsonObject, newBadRequest } from '@orrery/apimachinery';

/** Where the next page of a list starts. */
export interface ContinuePoint {
  /** Version of the whole list; -1: the newest (after the version was compacted). */
  readonly revision: number;
  /** First key of the page, relative to the list's prefix. */
  readonly start: string;
}

const tokenVersion = 'meta.k8s.io/v1';

/** Upstream's form: clients must not look inside, but tokens outlive a change of server. */
export const encodeContinue = ({ revision, start }: ContinuePoint): string =>
  Buffer.from(JSON.stringify({ v: tokenVersion, rv: revision, start })).toString('base64url');

/** @throws StatusError BadRequest */
export function decodeContinue(token: string): ContinuePoint {
  const fields = parse(token);
  const { v, rv, start } = fields;
  if (v !== tokenVersion) refuse(`continue key is not valid: server does not recognize this encoded version ${String(v ?? '')}`);
  if (typeof rv !== 'number' || !Number.isSafeInteger(rv) || rv === 0 || rv < -1) {
    return refuse('continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)');
  }
  if (typeof start !== 'string' || start === '')
    return refuse('continue key is not valid: encoded start key empty (version meta.k8s.io/v1)');
  if (climbs(start)) return refuse(`continue key is not valid: ${start}`);
  return { revision: rv, start };
}

function parse(token: string): { readonly [field: string]: unknown } {
  if (!/^[A-Za-z0-9_-]+$/.test(token)) return refuse('continue key is not valid: illegal base64 data');
  try {
    const value: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    if (isJsonObject(value)) return value;
  } catch {
    // Told below: what the token holds is the client's.
  }
  return refuse('continue key is not valid: invalid character in the encoded token');
}

/** Steps that would leave the list's own keys. */
const climbs = (start: string): boolean =>
  start
    .replace(/^\//, '')
    .split('/')
    .some((step) => step === '' || step === '.' || step === '..');

function refuse(problem: string): never {
  throw newBadRequest(`invalid continue token: ${problem}`);
}
