import { createPublicKey, sign, verify } from 'node:crypto';
import { attribute, extension, newKeys, oids, p256, pem, pkcs8, spkiOf } from './certificate.ts';
import {
  bitString,
  context as contextTag,
  type Der,
  type DerValue,
  objectIdentifier,
  readObjectIdentifier,
  readValues,
  sequence,
  set,
  unsignedInteger,
} from './der.ts';
import { ipBytes, ipText } from './ip-bytes.ts';

/** Whom a certificate is to be for. */
export interface SigningSubject {
  readonly commonName: string;
  readonly organizations?: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
}

/** A certificate signing request, read. Its signature proves that the asker holds the key. */
export interface SigningRequest {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly emailAddresses: readonly string[];
  readonly uris: readonly string[];
  /** As encoded: subject, key and general names go into the certificate byte by byte. */
  readonly subject: Der;
  readonly spki: Der;
  readonly names: readonly Der[];
}

const extensionRequest = '1.2.840.113549.1.9.14';
const ecdsaWithSha256 = sequence(objectIdentifier(oids.ecdsaWithSha256));

/** A new key, ECDSA P-256, and a request for a certificate for it: both PEM, the key PKCS #8. Source: RFC 2986. */
export async function newSigningRequest(subject: SigningSubject): Promise<{ readonly key: string; readonly request: string }> {
  const { publicKey, privateKey } = await newKeys('ec', p256);
  const { commonName, organizations = [], dnsNames = [], ipAddresses = [] } = subject;
  const name = sequence(
    ...organizations.map((organization) => attribute(oids.organization, organization)),
    attribute(oids.commonName, commonName),
  );
  const names = [
    ...dnsNames.map((host) => contextTag(2, Buffer.from(host, 'latin1'), false)),
    ...ipAddresses.map((address) => contextTag(7, ipBytes(address), false)),
  ];
  const wishes = sequence(objectIdentifier(extensionRequest), set(sequence(extension(oids.subjectAltName, sequence(...names)))));
  const attributes = contextTag(0, names.length === 0 ? new Uint8Array() : wishes, true);
  const info = sequence(unsignedInteger(Uint8Array.of(0)), name, spkiOf(publicKey), attributes);
  const der = sequence(info, ecdsaWithSha256, bitString(sign('sha256', info, privateKey)));
  return { key: pkcs8(privateKey), request: pem('CERTIFICATE REQUEST', der) };
}

/** Digests by signature algorithm; null where the algorithm has its own. */
const digests: Readonly<Record<string, string | null>> = {
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.3.101.112': null,
};

/** @throws {Error} when it is no request in PEM, or its signature does not fit its key. */
export function readSigningRequest(text: string): SigningRequest {
  const match = /-----BEGIN CERTIFICATE REQUEST-----([\s\S]*?)-----END CERTIFICATE REQUEST-----/.exec(text);
  if (match === null) throw new Error('PEM block type must be CERTIFICATE REQUEST');
  const [whole] = readValues(Buffer.from(match[1] ?? '', 'base64'));
  const [info, algorithm, signature] = children(whole);
  const [, subject, spki, attributes] = children(info);
  if (info === undefined || signature === undefined || subject === undefined || spki === undefined)
    throw new Error('not a certificate request');
  const digest = digests[readObjectIdentifier(children(algorithm)[0]?.content ?? new Uint8Array())];
  if (digest === undefined) throw new Error('the signature algorithm of the request is not known');
  const key = createPublicKey({ key: Buffer.from(spki.whole), format: 'der', type: 'spki' });
  if (!verify(digest, info.whole, key, signature.content.subarray(1))) throw new Error('the signature of the request does not fit its key');
  const names = namesOf(attributes);
  const texts = (tag: number): string[] =>
    names.filter((name) => name.tag === tag).map(({ content }) => Buffer.from(content).toString('latin1'));
  return {
    commonName: subjectTexts(subject, oids.commonName).at(-1) ?? '',
    organizations: subjectTexts(subject, oids.organization),
    emailAddresses: texts(0x81),
    dnsNames: texts(0x82),
    uris: texts(0x86),
    ipAddresses: names.filter(({ tag }) => tag === 0x87).map(({ content }) => ipText(content)),
    subject: subject.whole,
    spki: spki.whole,
    names: names.map((name) => name.whole),
  };
}

const children = (value: DerValue | undefined): readonly DerValue[] => (value === undefined ? [] : readValues(value.content));

/** A name is a sequence of sets of attributes. */
function subjectTexts(subject: DerValue, oid: string): string[] {
  return children(subject)
    .flatMap(children)
    .map(children)
    .filter(([type]) => type !== undefined && readObjectIdentifier(type.content) === oid)
    .map(([, value]) => Buffer.from(value?.content ?? new Uint8Array()).toString('utf8'));
}

/** The subject's alternative names among the extensions that are asked for. */
function namesOf(attributes: DerValue | undefined): readonly DerValue[] {
  const isOf = (oid: string, [type]: readonly DerValue[]): boolean => type !== undefined && readObjectIdentifier(type.content) === oid;
  const wishes = children(attributes)
    .map(children)
    .filter((parts) => isOf(extensionRequest, parts))
    .flatMap(([, values]) => children(values).flatMap(children));
  const names = wishes.map(children).find((parts) => isOf(oids.subjectAltName, parts));
  return children(readValues(names?.at(-1)?.content ?? new Uint8Array())[0]);
}
