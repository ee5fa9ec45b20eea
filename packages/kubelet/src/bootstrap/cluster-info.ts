import { createHash, createHmac, timingSafeEqual, X509Certificate } from 'node:crypto';
import { newHttpsTransport, parseKubeconfig } from '@orrery/client';

/** A token by which a machine joins: `abcdef.0123456789abcdef`. */
export interface JoinToken {
  readonly id: string;
  readonly secret: string;
}

/** Joining failed for a reason that the operator can mend. */
export class JoinError extends Error {
  override readonly name = 'JoinError';
}

/** @throws {JoinError} */
export function parseJoinToken(text: string): JoinToken {
  const match = /^([a-z0-9]{6})\.([a-z0-9]{16})$/.exec(text);
  if (match === null) throw new JoinError('the token must look like abcdef.0123456789abcdef: see "orrery token list"');
  return { id: match[1] ?? '', secret: match[2] ?? '' };
}

/** The hash by which an authority is pinned: of its public key, as kubeadm's. @param pem - The authority's certificate. */
export function caHashOf(pem: string): string {
  const spki = new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' });
  return `sha256:${createHash('sha256').update(spki).digest('hex')}`;
}

const PATH = '/api/v1/namespaces/kube-public/configmaps/cluster-info';

/**
 * The cluster's authority, PEM. It is asked of a server that nobody vouches for yet; what makes it believable is the token's signature, and
 * that its public key has the hash that the operator was told.
 * @throws {JoinError} when one of the two is wrong, or the server answers nothing of use.
 */
export async function discoverAuthority(server: string, token: JoinToken, caHash: string, signal: AbortSignal): Promise<string> {
  const transport = newHttpsTransport({ server, insecureSkipTlsVerify: true });
  try {
    const { status, body } = await transport.raw({ path: PATH, headers: { accept: 'application/json' } }, signal);
    const parts: Uint8Array[] = [];
    for await (const part of body) parts.push(part);
    if (status !== 200) throw new JoinError(`${server} does not say how to join it: HTTP ${status} for ${PATH}`);
    const { data = {} } = JSON.parse(Buffer.concat(parts).toString('utf8')) as { readonly data?: Readonly<Record<string, string>> };
    return await checkedAuthority(data, token, caHash);
  } finally {
    await transport.close();
  }
}

/** Source: kubeadm's token discovery. */
export async function checkedAuthority(data: Readonly<Record<string, string>>, token: JoinToken, caHash: string): Promise<string> {
  const { kubeconfig = '' } = data;
  checkSignature(kubeconfig, data[`jws-kubeconfig-${token.id}`], token);
  const { clusters } = await parseKubeconfig(kubeconfig, 'cluster-info', 'keep');
  const encoded = clusters[0]?.cluster['certificate-authority-data'];
  if (encoded === undefined) throw new JoinError('cluster-info names no certificate authority');
  const ca = Buffer.from(encoded, 'base64').toString('utf8');
  const hash = caHashOf(ca);
  if (hash !== caHash.toLowerCase()) {
    throw new JoinError(
      `the server's certificate authority has the hash ${hash}, not ${caHash}: this is another cluster, or somebody pretends to be it`,
    );
  }
  return ca;
}

function checkSignature(text: string, jws: string | undefined, { id, secret }: JoinToken): void {
  if (jws === undefined) throw new JoinError(`the cluster knows no token ${id}: it may have expired; make one with "orrery token create"`);
  const [header = '', , given = ''] = jws.split('.');
  const wanted = createHmac('sha256', secret)
    .update(`${header}.${Buffer.from(text).toString('base64url')}`)
    .digest();
  const signature = Buffer.from(given, 'base64url');
  if (signature.length !== wanted.length || !timingSafeEqual(signature, wanted)) {
    throw new JoinError(
      `the cluster's answer is not signed by token ${id}: the second half of the token is wrong, or this is another cluster`,
    );
  }
}
