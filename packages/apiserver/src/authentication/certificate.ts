import { createHash } from 'node:crypto';
import type { DetailedPeerCertificate, PeerCertificate, TLSSocket } from 'node:tls';
import type { Clock } from '@orrery/base';
import type { Authenticated, Authenticator, VerifiedCertificate } from './authenticator.ts';

/** Client certificates: common name is the user, organisations are the groups. Source: Kubernetes' X.509 client certificates. */
export function newCertificateAuthenticator(clock: Clock): Authenticator {
  return {
    name: 'x509',
    authenticate({ certificate }): Authenticated | undefined {
      if (certificate === undefined || certificate.commonName === '') return undefined;
      if (clock.now() > certificate.notAfterMs) throw new Error('the client certificate has expired');
      return {
        user: {
          username: certificate.commonName,
          groups: certificate.organizations,
          extra: { 'authentication.kubernetes.io/credential-id': [`X509SHA256=${certificate.fingerprint}`] },
        },
      };
    },
  };
}

/** Parsed once a connection. */
const parsed = new WeakMap<TLSSocket, VerifiedCertificate | 'none' | 'unverified'>();

/** What the client of this connection proved at the handshake; `unverified` for a certificate that the client CA did not sign. */
export function certificateOf(socket: TLSSocket): VerifiedCertificate | 'none' | 'unverified' {
  const known = parsed.get(socket);
  if (known !== undefined) return known;
  const fresh = read(socket);
  parsed.set(socket, fresh);
  return fresh;
}

function read(socket: TLSSocket): VerifiedCertificate | 'none' | 'unverified' {
  const certificate: PeerCertificate | DetailedPeerCertificate | undefined = socket.getPeerCertificate();
  if (certificate?.raw === undefined) return 'none';
  if (!socket.authorized) return 'unverified';
  const subject = certificate.subject as unknown as Readonly<Record<string, string | readonly string[] | undefined>>;
  return {
    commonName: listOf(subject['CN']).at(-1) ?? '',
    organizations: listOf(subject['O']),
    fingerprint: createHash('sha256').update(certificate.raw).digest('hex'),
    notAfterMs: Date.parse(certificate.valid_to),
  };
}

const listOf = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === 'string' ? [value] : value;
