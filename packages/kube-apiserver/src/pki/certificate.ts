import type { webcrypto } from 'node:crypto';

/** A certificate and its private key, both PEM; the key is PKCS #8. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateRequest {
  /** Becomes the user name of a client certificate. */
  readonly commonName: string;
  /** Become the groups of a client certificate. @default none */
  readonly organizations?: readonly string[];
  readonly usage: 'client' | 'server' | 'both';
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
}

/** Where time and serial numbers come from. */
export interface IssuerContext {
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** 16 random bytes a call. */
  readonly serial: () => Uint8Array;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const CA_DAYS = 3650; // As kubeadm: ten years.
const LEAF_DAYS = 365; // As kubeadm: one year.
const CLOCK_SKEW_MS = 5 * 60 * 1000; // Valid five minutes before it was made: clocks of machines differ.

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** Lazily, because it takes 100 ms to load: only the first start and new nodes need it. */
async function loadX509() {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  const { webcrypto: crypto } = await import('node:crypto');
  x509.cryptoProvider.set(crypto as never);
  return { x509, crypto };
}

const pem = (label: string, der: ArrayBuffer): string =>
  `-----BEGIN ${label}-----\n${Buffer.from(der)
    .toString('base64')
    .replace(/(.{64})(?=.)/g, '$1\n')}\n-----END ${label}-----\n`;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** A self-signed certificate authority, ECDSA P-256, valid ten years. */
export async function newCertificateAuthority(commonName: string, { nowMs, serial }: IssuerContext): Promise<KeyPair> {
  const { x509, crypto } = await loadX509();
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: hex(serial()),
    name: [{ CN: [commonName] }],
    notBefore: new Date(nowMs - CLOCK_SKEW_MS),
    notAfter: new Date(nowMs + CA_DAYS * DAY_MS),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment | x509.KeyUsageFlags.keyCertSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, crypto as never),
    ],
  });
  return { cert: `${certificate.toString('pem')}\n`, key: pem('PRIVATE KEY', await crypto.subtle.exportKey('pkcs8', keys.privateKey)) };
}

/** A certificate signed by `authority`, ECDSA P-256, valid one year. */
export async function issueCertificate(
  authority: KeyPair,
  request: CertificateRequest,
  { nowMs, serial }: IssuerContext,
): Promise<KeyPair> {
  const { x509, crypto } = await loadX509();
  const issuer = new x509.X509Certificate(authority.cert);
  const signingKey = await importKey(crypto, authority.key);
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const usages = {
    client: [x509.ExtendedKeyUsage.clientAuth],
    server: [x509.ExtendedKeyUsage.serverAuth],
    both: [x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth],
  };
  const names = [
    ...(request.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(request.ipAddresses ?? []).map((value) => ({ type: 'ip' as const, value })),
  ];
  const organizations = request.organizations ?? [];
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: hex(serial()),
    subject: [...organizations.map((organization) => ({ O: [organization] })), { CN: [request.commonName] }],
    issuer: issuer.subjectName.toJSON(),
    notBefore: new Date(nowMs - CLOCK_SKEW_MS),
    notAfter: new Date(nowMs + LEAF_DAYS * DAY_MS),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
      new x509.ExtendedKeyUsageExtension(usages[request.usage]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey, false, crypto as never),
      ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
    ],
  });
  return { cert: `${certificate.toString('pem')}\n`, key: pem('PRIVATE KEY', await crypto.subtle.exportKey('pkcs8', keys.privateKey)) };
}

function importKey(crypto: webcrypto.Crypto, key: string): Promise<webcrypto.CryptoKey> {
  const der = Buffer.from(key.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  return crypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']);
}
