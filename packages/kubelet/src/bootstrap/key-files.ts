import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeyPair } from '@orrery/component';

/** Replaces a file in one step; readable by its owner alone. */
export async function writePrivate(path: string, text: string): Promise<void> {
  const draft = `${path}.new`;
  await writeFile(draft, text, { mode: 0o600 });
  await rename(draft, path);
}

/** Key and certificate in one file, so that they never disagree. */
export async function writePair(directory: string, name: string, { cert, key }: KeyPair): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writePrivate(join(directory, `${name}.pem`), cert.trimEnd().concat('\n', key));
}

/** Undefined: absent, damaged, or over at `nowMs`. */
export async function readPair(directory: string, name: string, nowMs: number): Promise<KeyPair | undefined> {
  try {
    const text = await readFile(join(directory, `${name}.pem`), 'utf8');
    const [cert = ''] = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----\n?/.exec(text) ?? [];
    const [key = ''] = /-----BEGIN PRIVATE KEY-----[\s\S]*?-----END PRIVATE KEY-----\n?/.exec(text) ?? [];
    const certificate = new X509Certificate(cert);
    return certificate.checkPrivateKey(createPrivateKey(key)) && Date.parse(certificate.validTo) > nowMs ? { cert, key } : undefined;
  } catch {
    return undefined; // Asked for anew, whatever is wrong with it.
  }
}

/** When a certificate is to be replaced, milliseconds since the epoch: after 70 to 90 % of its life. @param fraction - Where between, 0 to 1. */
export function renewAtMs({ cert }: KeyPair, fraction: number): number {
  const { validFrom, validTo } = new X509Certificate(cert);
  const [fromMs, toMs] = [Date.parse(validFrom), Date.parse(validTo)];
  return fromMs + (toMs - fromMs) * (0.7 + 0.2 * fraction);
}
