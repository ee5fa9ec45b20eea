import { webcrypto } from 'node:crypto';

export interface TestCertificates {
  readonly ca: string;
  readonly server: { readonly key: string; readonly cert: string };
  readonly stranger: { readonly key: string; readonly cert: string };
  readonly client: { readonly key: string; readonly cert: string };
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

const pem = (label: string, der: ArrayBuffer): string =>
  `-----BEGIN ${label}-----\n${Buffer.from(der)
    .toString('base64')
    .replace(/(.{64})(?=.)/g, '$1\n')}\n-----END ${label}-----\n`;

/** An authority, a server certificate for 127.0.0.1 and a client certificate, for an hour. */
export async function newTestCertificates(): Promise<TestCertificates> {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  x509.cryptoProvider.set(webcrypto as never);
  const keys = () => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const caKeys = await keys();
  const hour = { notBefore: new Date(Date.UTC(2020, 0, 1)), notAfter: new Date(Date.UTC(2100, 0, 1)) };
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: ['test ca'] }],
    ...hour,
    signingAlgorithm: algorithm,
    keys: caKeys,
    extensions: [new x509.BasicConstraintsExtension(true)],
  });
  const leaf = async (name: string, ...organizations: readonly string[]) => {
    const own = await keys();
    const certificate = await x509.X509CertificateGenerator.create({
      subject: [{ CN: [name] }, ...organizations.map((organization) => ({ O: [organization] }))],
      issuer: ca.subject,
      ...hour,
      signingAlgorithm: algorithm,
      publicKey: own.publicKey,
      signingKey: caKeys.privateKey,
      extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }])],
    });
    return { cert: certificate.toString('pem'), key: pem('PRIVATE KEY', await webcrypto.subtle.exportKey('pkcs8', own.privateKey)) };
  };
  return {
    ca: ca.toString('pem'),
    server: await leaf('server'),
    client: await leaf('client', 'system:masters'),
    stranger: await leaf('stranger', 'system:nodes'),
  };
}
