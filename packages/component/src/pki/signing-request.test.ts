import { createPrivateKey, X509Certificate } from 'node:crypto';
import { systemRandom } from '@orrery/base';
import { describe, expect, test } from 'vitest';
import { newCertificateAuthority } from './certificate.ts';
import { signRequest } from './sign-request.ts';
import { newSigningRequest, readSigningRequest } from './signing-request.ts';

const context = { nowMs: Date.now(), serial: () => systemRandom.bytes(16) };

describe('a request', () => {
  test('reads back, and becomes a certificate for its key', async () => {
    const subject = {
      commonName: 'system:node:n1',
      organizations: ['system:nodes'],
      dnsNames: ['n1'],
      ipAddresses: ['10.0.0.1', 'fd00::1'],
    };
    const { key, request } = await newSigningRequest(subject);
    const read = readSigningRequest(request);
    expect(read).toMatchObject({
      commonName: 'system:node:n1',
      organizations: ['system:nodes'],
      dnsNames: ['n1'],
      ipAddresses: ['10.0.0.1', 'fd00:0:0:0:0:0:0:1'],
      emailAddresses: [],
      uris: [],
    });
    const authority = await newCertificateAuthority('ca', context);
    const notAfterMs = context.nowMs + 3_600_000;
    const certificate = new X509Certificate(
      signRequest(authority, read, { usages: ['digital signature', 'server auth'], notAfterMs }, context),
    );
    expect(certificate.checkPrivateKey(createPrivateKey(key))).toBe(true);
    expect(certificate.verify(new X509Certificate(authority.cert).publicKey)).toBe(true);
    expect(certificate.checkHost('n1')).toBe('n1');
    expect(certificate.checkIP('fd00::1')).toBe('fd00::1');
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(certificate.subject.split('\n').sort()).toEqual(['CN=system:node:n1', 'O=system:nodes']);
    expect(Math.abs(Date.parse(certificate.validTo) - notAfterMs)).toBeLessThan(1001);
  });

  test('without names has none', async () => {
    expect(readSigningRequest((await newSigningRequest({ commonName: 'a' })).request)).toMatchObject({
      dnsNames: [],
      ipAddresses: [],
      names: [],
    });
  });

  test('that was tampered with is refused', async () => {
    const { request } = await newSigningRequest({ commonName: 'alice' });
    const der = Buffer.from(request.replace(/-----[^-]*-----|\n/g, ''), 'base64');
    der[der.indexOf('alice')] = 'x'.charCodeAt(0);
    const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
    expect(() => readSigningRequest(forged)).toThrow('does not fit its key');
  });

  test.each(['', 'x', '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----'])('%j is none', (text) => {
    expect(() => readSigningRequest(text)).toThrow();
  });
});
