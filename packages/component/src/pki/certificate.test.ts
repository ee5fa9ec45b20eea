import { X509Certificate } from 'node:crypto';
import { systemRandom } from '@orrery/base';
import { describe, expect, test } from 'vitest';
import { issueCertificate, newCertificateAuthority } from './certificate.ts';

const context = { nowMs: Date.now(), serial: () => systemRandom.bytes(16) };

describe('certificates', () => {
  test('an authority is a CA that verifies what it issued', async () => {
    const authority = await newCertificateAuthority('orrery-ca', context);
    const leaf = await issueCertificate(
      authority,
      { commonName: 'alice', organizations: ['system:masters', 'dev'], usage: 'client' },
      context,
    );
    const ca = new X509Certificate(authority.cert);
    const certificate = new X509Certificate(leaf.cert);
    expect(ca.ca).toBe(true);
    expect(certificate.checkIssued(ca)).toBe(true);
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
    expect(Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)).toBeGreaterThan(364 * 24 * 60 * 60 * 1000);
    expect(certificate.ca).toBe(false);
    expect(certificate.verify(ca.publicKey)).toBe(true);
    expect(certificate.subject.split('\n').sort()).toEqual(['CN=alice', 'O=dev', 'O=system:masters'].sort());
  });

  test('a server certificate names its hosts and addresses', async () => {
    const authority = await newCertificateAuthority('orrery-ca', context);
    const leaf = await issueCertificate(
      authority,
      { commonName: 'kube-apiserver', usage: 'server', dnsNames: ['kubernetes.default.svc'], ipAddresses: ['127.0.0.1', '::1'] },
      context,
    );
    const certificate = new X509Certificate(leaf.cert);
    expect(certificate.checkHost('kubernetes.default.svc')).toBe('kubernetes.default.svc');
    expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(certificate.checkIP('10.0.0.1')).toBeUndefined();
  });
});
