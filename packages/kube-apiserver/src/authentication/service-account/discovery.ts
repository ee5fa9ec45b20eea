import { StatusError } from '@orrery/apimachinery';
import type { Document, DocumentEndpoint, Offer } from '@orrery/apiserver';
import type { SigningKey } from './signing-key.ts';

const offer: Offer = {
  name: 'openid',
  formats: ['json'],
  aliases: [{ format: 'json', subtype: 'jwk-set+json' }],
  stream: false,
  allows: () => false,
};

/**
 * What others need to verify tokens themselves: OpenID Connect's provider metadata and the public key. The key's address begins with the
 * issuer, so whoever reaches one reaches the other.
 */
export function newOpenIdEndpoint(issuer: string, key: SigningKey): DocumentEndpoint {
  const keysPath = '/openid/v1/jwks';
  const texts: Readonly<Record<string, Document>> = {
    '/.well-known/openid-configuration': {
      contentType: 'application/json',
      body: JSON.stringify({
        issuer,
        jwks_uri: `${issuer.replace(/\/+$/, '')}${keysPath}`,
        response_types_supported: ['id_token'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: [key.algorithm],
      }),
    },
    [keysPath]: { contentType: 'application/jwk-set+json', body: JSON.stringify({ keys: [key.jwk] }) },
  };
  return {
    offerAt: (path) => (Object.hasOwn(texts, path) ? offer : undefined),
    document(path) {
      const found = texts[path];
      if (found === undefined) throw new StatusError('NotFound', 'the server could not find the requested resource');
      return found;
    },
    paths: () => Object.keys(texts),
  };
}
