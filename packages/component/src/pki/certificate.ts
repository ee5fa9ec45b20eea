import { createHash, createPrivateKey, generateKeyPair, type KeyObject, sign, X509Certificate } from 'node:crypto';
import { promisify } from 'node:util';
import { assert } from '@orrery/base';
import {
  bitString,
  boolean,
  context as contextTag,
  type Der,
  objectIdentifier,
  octetString,
  readValues,
  sequence,
  set,
  time,
  unsignedInteger,
  utf8String,
} from './der.ts';
import { ipBytes } from './ip-bytes.ts';

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

// Names of algorithms, attributes and extensions: RFC 5280 and RFC 5758.
export const oids = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

const signatureAlgorithm = sequence(objectIdentifier(oids.ecdsaWithSha256));
const VERSION_3 = contextTag(0, unsignedInteger(Uint8Array.of(2)), true);

// Bits from the left: 0 digitalSignature, 2 keyEncipherment, 5 keyCertSign.
const caKeyUsage = bitString(Uint8Array.of(0b1010_0100), 2);
const leafKeyUsage = bitString(Uint8Array.of(0b1010_0000), 5);

/** One extension of a certificate. */
export const extension = (oid: string, value: Der, critical = false): Der =>
  sequence(objectIdentifier(oid), ...(critical ? [boolean(true)] : []), octetString(value));

/** One step of a name. */
export const attribute = (oid: string, text: string): Der => set(sequence(objectIdentifier(oid), utf8String(text)));

export const newKeys = promisify(generateKeyPair);
export const p256 = { namedCurve: 'prime256v1' } as const;
export const spkiOf = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' });

/** RFC 5280, 4.2.1.2, method 1: SHA-1 of the public key's bits. A name, not a proof. */
function keyIdentifier(spki: Uint8Array): Uint8Array {
  const [, bits] = readValues(readValues(spki)[0]?.content ?? spki);
  assert(bits !== undefined, 'a public key has bits');
  return createHash('sha1').update(bits.content.subarray(1)).digest();
}

/** The subject, byte by byte as the certificate has it: what it issues must name it exactly so. */
function nameOf(certificate: X509Certificate): Der {
  const [tbs] = readValues(readValues(certificate.raw)[0]?.content ?? certificate.raw);
  // Version, serial number, algorithm, issuer, validity, subject: a certificate with extensions has its version.
  const subject = readValues(tbs?.content ?? new Uint8Array())[5];
  assert(subject !== undefined, 'a certificate has a subject');
  return subject.whole;
}

/** What a certificate says, before it is signed. */
export interface CertificateDraft {
  readonly issuer: Der;
  readonly subject: Der;
  readonly notAfterMs: number;
  readonly spki: Uint8Array;
  readonly extensions: readonly Der[];
}

function signed(
  { issuer, subject, notAfterMs, spki, extensions }: CertificateDraft,
  key: KeyObject,
  { nowMs, serial }: IssuerContext,
): string {
  const tbs = sequence(
    VERSION_3,
    unsignedInteger(serial()),
    signatureAlgorithm,
    issuer,
    sequence(time(nowMs - CLOCK_SKEW_MS), time(notAfterMs)),
    subject,
    spki,
    contextTag(3, sequence(...extensions), true),
  );
  return pem('CERTIFICATE', sequence(tbs, signatureAlgorithm, bitString(sign('sha256', tbs, key))));
}

export const pem = (label: string, der: Uint8Array): string =>
  `-----BEGIN ${label}-----\n${Buffer.from(der)
    .toString('base64')
    .replace(/(.{64})(?=.)/g, '$1\n')}\n-----END ${label}-----\n`;

export const pkcs8 = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();

/** A self-signed certificate authority, ECDSA P-256, valid ten years. */
export async function newCertificateAuthority(commonName: string, context: IssuerContext): Promise<KeyPair> {
  const { publicKey, privateKey } = await newKeys('ec', p256);
  const spki = spkiOf(publicKey);
  const name = sequence(attribute(oids.commonName, commonName));
  const extensions = [
    extension(oids.basicConstraints, sequence(boolean(true)), true),
    extension(oids.keyUsage, caKeyUsage, true),
    extension(oids.subjectKeyIdentifier, octetString(keyIdentifier(spki))),
  ];
  const cert = signed({ issuer: name, subject: name, notAfterMs: context.nowMs + CA_DAYS * DAY_MS, spki, extensions }, privateKey, context);
  return { cert, key: pkcs8(privateKey) };
}

/** A leaf certificate for a key and a subject of another's choosing. */
export function signLeaf(
  authority: KeyPair,
  { subject, spki, keyUsage, extendedUsages, names, notAfterMs }: LeafContent,
  context: IssuerContext,
): string {
  const issuer = new X509Certificate(authority.cert);
  const extensions = [
    extension(oids.basicConstraints, sequence(), true),
    extension(oids.keyUsage, keyUsage, true),
    ...(extendedUsages.length === 0 ? [] : [extension(oids.extendedKeyUsage, sequence(...extendedUsages.map(objectIdentifier)))]),
    extension(oids.authorityKeyIdentifier, sequence(contextTag(0, keyIdentifier(spkiOf(issuer.publicKey)), false))),
    ...(names.length === 0 ? [] : [extension(oids.subjectAltName, sequence(...names))]),
  ];
  const draft = { issuer: nameOf(issuer), subject, notAfterMs, spki, extensions };
  return signed(draft, createPrivateKey(authority.key), context);
}

/** What {@link signLeaf} writes, in pieces that are encoded already. */
export interface LeafContent {
  readonly subject: Der;
  readonly spki: Uint8Array;
  /** A bit string. */
  readonly keyUsage: Der;
  /** Object identifiers. */
  readonly extendedUsages: readonly string[];
  /** General names. */
  readonly names: readonly Der[];
  readonly notAfterMs: number;
}

/** A certificate signed by `authority`, ECDSA P-256, valid one year. */
export async function issueCertificate(authority: KeyPair, request: CertificateRequest, context: IssuerContext): Promise<KeyPair> {
  const { commonName, organizations = [] } = request;
  const { publicKey, privateKey } = await newKeys('ec', p256);
  const subject = sequence(
    ...organizations.map((organization) => attribute(oids.organization, organization)),
    attribute(oids.commonName, commonName),
  );
  const issuer = new X509Certificate(authority.cert);
  const draft: CertificateDraft = {
    issuer: nameOf(issuer),
    subject,
    notAfterMs: context.nowMs + LEAF_DAYS * DAY_MS,
    spki: spkiOf(publicKey),
    extensions: leafExtensions(request, keyIdentifier(spkiOf(issuer.publicKey))),
  };
  return { cert: signed(draft, createPrivateKey(authority.key), context), key: pkcs8(privateKey) };
}

const extendedUsages = {
  client: [oids.clientAuth],
  server: [oids.serverAuth],
  both: [oids.serverAuth, oids.clientAuth],
} as const;

function leafExtensions({ usage, dnsNames = [], ipAddresses = [] }: CertificateRequest, authorityKey: Uint8Array): Der[] {
  const names = [
    ...dnsNames.map((name) => contextTag(2, ia5(name), false)),
    ...ipAddresses.map((address) => contextTag(7, ipBytes(address), false)),
  ];
  return [
    extension(oids.basicConstraints, sequence(), true),
    extension(oids.keyUsage, leafKeyUsage, true),
    extension(oids.extendedKeyUsage, sequence(...extendedUsages[usage].map(objectIdentifier))),
    extension(oids.authorityKeyIdentifier, sequence(contextTag(0, authorityKey, false))),
    ...(names.length === 0 ? [] : [extension(oids.subjectAltName, sequence(...names))]),
  ];
}

function ia5(name: string): Uint8Array {
  assert(/^[\x21-\x7e]+$/.test(name), `not a DNS name: ${name}`);
  return Buffer.from(name, 'latin1');
}
