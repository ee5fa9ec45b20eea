import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

/** PEM texts for tests. */
export interface TestKeyPair {
  readonly cert: string;
  readonly key: string;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const hour = 3_600_000;
x509.cryptoProvider.set(webcrypto as never);

const keysOf = (): Promise<CryptoKeyPair> => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']) as Promise<CryptoKeyPair>;
type CryptoKeyPair = Awaited<ReturnType<typeof webcrypto.subtle.generateKey>> & webcrypto.CryptoKeyPair;

async function pemKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${der.replace(/(.{64})(?=.)/g, '$1\n')}\n-----END PRIVATE KEY-----\n`;
}

export interface TestAuthority extends TestKeyPair {
  issue(request: {
    readonly user: string;
    readonly groups?: readonly string[];
    readonly server?: boolean;
    /** Relative to now. @default one hour */
    readonly validMs?: number;
  }): Promise<TestKeyPair>;
}

let serial = 1;

export async function newTestAuthority(name = 'test-ca'): Promise<TestAuthority> {
  const keys = await keysOf();
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: String(serial++).padStart(2, '0'),
    name: [{ CN: [name] }],
    notBefore: new Date(Date.now() - hour),
    notAfter: new Date(Date.now() + 24 * hour),
    signingAlgorithm: algorithm,
    keys: keys as never,
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  return {
    cert: authority.toString('pem'),
    key: await pemKey(keys.privateKey),
    async issue({ user, groups = [], server = false, validMs = hour }) {
      const own = await keysOf();
      const certificate = await x509.X509CertificateGenerator.create({
        serialNumber: String(serial++).padStart(2, '0'),
        subject: [...(groups.length > 0 ? [{ O: [...groups] }] : []), { CN: [user] }],
        issuer: authority.subjectName.toJSON(),
        notBefore: new Date(Date.now() - hour),
        notAfter: new Date(Date.now() + validMs),
        signingAlgorithm: algorithm,
        publicKey: own.publicKey as never,
        signingKey: keys.privateKey as never,
        extensions: [
          new x509.ExtendedKeyUsageExtension([server ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth]),
          ...(server
            ? [
                new x509.SubjectAlternativeNameExtension([
                  { type: 'ip', value: '127.0.0.1' },
                  { type: 'dns', value: 'localhost' },
                ]),
              ]
            : []),
        ],
      });
      return { cert: certificate.toString('pem'), key: await pemKey(own.privateKey) };
    },
  };
}
