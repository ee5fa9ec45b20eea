import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type ClusterPki,
  completePki,
  type IssuerContext,
  type KeyPair,
  leafRequests,
  newSigningKeyPem,
  type PkiHosts,
  type PkiName,
} from '@orrery/kube-apiserver';
import { CliError } from '../cli/command.ts';
import { writePrivateFile } from './instance.ts';

const names: readonly PkiName[] = ['ca', 'apiserver', 'apiserverKubeletClient', 'admin', 'kubelet'];
const RENEW_BEFORE_MS = 30 * 24 * 60 * 60 * 1000; // A leaf in its last month is issued anew at start.

/** The cluster's certificates from `directory`; makes what is missing, near its end, or does not name a host of `hosts`. Files are 0600. */
export async function loadPki(directory: string, hosts: PkiHosts, context: IssuerContext): Promise<ClusterPki> {
  const existing: Partial<Record<PkiName, KeyPair>> = {};
  for (const name of names) {
    const pair = await readPair(directory, name);
    if (pair === undefined) {
      if (name === 'ca') break; // Without its authority no leaf is of use.
      continue;
    }
    if (name === 'ca') checkAuthority(directory, pair);
    if (name === 'ca' || isUsable(pair, name, hosts, context.nowMs, existing.ca)) existing[name] = pair;
  }
  const pki = await completePki(hosts, context, existing);
  for (const name of names) if (existing[name] === undefined) await writePair(directory, name, pki[name]);
  return pki;
}

/** The key that signs service accounts' tokens, from `sa.key` in `directory`; makes it when it is missing. The file is 0600. */
export async function loadSigningKey(directory: string): Promise<string> {
  const file = join(directory, 'sa.key');
  try {
    const pem = await readFile(file, 'utf8');
    createPrivateKey(pem);
    return pem;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw new CliError(`cannot read ${file}: restore it, or remove it (every token that was handed out then ends)`, { cause });
    }
  }
  const pem = newSigningKeyPem();
  await writePrivateFile(file, pem);
  return pem;
}

async function readPair(directory: string, name: PkiName): Promise<KeyPair | undefined> {
  try {
    const [cert, key] = await Promise.all([
      readFile(join(directory, `${name}.crt`), 'utf8'),
      readFile(join(directory, `${name}.key`), 'utf8'),
    ]);
    return { cert, key };
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new CliError(`cannot read the certificates in ${directory}: ${err instanceof Error ? err.message : String(err)}`, { cause: err });
  }
}

/** The key first: a certificate without its key is never left behind. */
async function writePair(directory: string, name: PkiName, { cert, key }: KeyPair): Promise<void> {
  await writePrivateFile(join(directory, `${name}.key`), key);
  await writePrivateFile(join(directory, `${name}.crt`), cert);
}

/** Half written or mixed up: undefined. */
function certificateOf({ cert, key }: KeyPair): X509Certificate | undefined {
  try {
    const certificate = new X509Certificate(cert);
    return certificate.checkPrivateKey(createPrivateKey(key)) ? certificate : undefined;
  } catch {
    return undefined;
  }
}

/** A new authority would make every kubeconfig that was handed out worthless: that is the user's to decide. */
function checkAuthority(directory: string, pair: KeyPair): void {
  if (certificateOf(pair) !== undefined) return;
  throw new CliError(
    `${directory}/ca.crt and ca.key are damaged or do not belong together: restore them, or remove ${directory} and start again (kubeconfigs that were copied elsewhere then stop working)`,
  );
}

function isUsable(pair: KeyPair, name: Exclude<PkiName, 'ca'>, hosts: PkiHosts, nowMs: number, ca: KeyPair | undefined): boolean {
  const certificate = certificateOf(pair);
  if (certificate === undefined || ca === undefined) return false;
  if (!certificate.verify(new X509Certificate(ca.cert).publicKey)) return false;
  if (Date.parse(certificate.validTo) - nowMs < RENEW_BEFORE_MS) return false;
  const { dnsNames = [], ipAddresses = [], commonName } = leafRequests(hosts)[name];
  return (
    certificate.subject.split('\n').includes(`CN=${commonName}`) &&
    dnsNames.every((host) => certificate.checkHost(host) !== undefined) &&
    ipAddresses.every((address) => certificate.checkIP(address) !== undefined)
  );
}
