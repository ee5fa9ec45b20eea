import { signJwt } from './jwt.ts';
import { readSigningKey } from './signing-key.ts';

/** Signs the claims of tokens that live in Secrets. @param pem - The same key as the API server's. */
export function newTokenSigner(pem: string): (claims: object) => string {
  const key = readSigningKey(pem);
  return (claims) => signJwt(key, claims);
}
