import { type IssuerContext, type KeyPair, oids, signLeaf } from './certificate.ts';
import { bitString, type Der } from './der.ts';
import type { SigningRequest } from './signing-request.ts';

/** Bits of a key's usage from the left. Source: RFC 5280, 4.2.1.3. */
const keyUsageBits: Readonly<Record<string, number>> = {
  'digital signature': 0,
  signing: 0,
  'content commitment': 1,
  'key encipherment': 2,
  'data encipherment': 3,
  'key agreement': 4,
  'cert sign': 5,
  'crl sign': 6,
  'encipher only': 7,
};

/** Purposes. Source: RFC 5280, 4.2.1.12, and the usages of certificates.k8s.io. */
const extendedUsageOids: Readonly<Record<string, string>> = {
  any: '2.5.29.37.0',
  'server auth': oids.serverAuth,
  'client auth': oids.clientAuth,
  'code signing': '1.3.6.1.5.5.7.3.3',
  'email protection': '1.3.6.1.5.5.7.3.4',
  's/mime': '1.3.6.1.5.5.7.3.4',
  'ipsec end system': '1.3.6.1.5.5.7.3.5',
  'ipsec tunnel': '1.3.6.1.5.5.7.3.6',
  'ipsec user': '1.3.6.1.5.5.7.3.7',
  timestamping: '1.3.6.1.5.5.7.3.8',
  'ocsp signing': '1.3.6.1.5.5.7.3.9',
  'microsoft sgc': '1.3.6.1.4.1.311.10.3.3',
  'netscape sgc': '2.16.840.1.113730.4.1',
};

/** A usage in Kubernetes' words: `client auth`, `digital signature`. */
export type CertificateUsage = string;

/** Every usage that there is. */
export const certificateUsages: readonly CertificateUsage[] = [
  'signing',
  'digital signature',
  'content commitment',
  'key encipherment',
  'key agreement',
  'data encipherment',
  'cert sign',
  'crl sign',
  'encipher only',
  'decipher only',
  ...Object.keys(extendedUsageOids),
];

export interface SignOptions {
  readonly usages: readonly CertificateUsage[];
  /** Milliseconds since the epoch; never after the authority's own end. */
  readonly notAfterMs: number;
}

/** The certificate that a request asks for, PEM. Whether it may be had is the caller's to decide. */
export function signRequest(
  authority: KeyPair,
  { subject, spki, names }: SigningRequest,
  options: SignOptions,
  context: IssuerContext,
): string {
  const { usages, notAfterMs } = options;
  const extendedUsages = usages.map((usage) => extendedUsageOids[usage]).filter((oid) => oid !== undefined);
  return signLeaf(authority, { subject, spki, names, keyUsage: keyUsageOf(usages), extendedUsages, notAfterMs }, context);
}

function keyUsageOf(usages: readonly CertificateUsage[]): Der {
  const bits = usages.map((usage) => keyUsageBits[usage]).filter((bit) => bit !== undefined);
  if (bits.length === 0) return bitString(new Uint8Array());
  const byte = bits.reduce((sum, bit) => sum | (0x80 >> bit), 0);
  return bitString(Uint8Array.of(byte), 7 - Math.max(...bits));
}
