import { X509Certificate } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Random } from '@orrery/base';
import { newClient, newHttpsTransport, type Transport } from '@orrery/client';
import type { KeyPair } from '@orrery/component';
import { caHashOf, discoverAuthority, JoinError, parseJoinToken } from './cluster-info.ts';
import { readPair, renewAtMs, writePair, writePrivate } from './key-files.ts';
import { requestNodeCertificate } from './request-certificate.ts';
import { newSwappableTransport } from './swappable-transport.ts';

export interface BootstrapOptions {
  /** URL of the API server. */
  readonly server: string;
  /** `abcdef.0123456789abcdef`; not needed when the machine has joined before. */
  readonly token?: string | undefined;
  /** `sha256:<hex>` of the authority's public key. */
  readonly caHash: string;
  readonly nodeName: string;
  /** Keys and certificates are kept here, mode 0600. */
  readonly directory: string;
  /** Addresses at which the API server reaches the node; its name and loopback are added. */
  readonly addresses: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  readonly signal: AbortSignal;
}

/** What a machine has once it has joined. */
export interface NodeCredentials {
  /** PEM of the cluster's authority. */
  readonly ca: string;
  /** Of the node's own HTTPS server. */
  readonly serving: KeyPair;
  /** To the API server as `system:node:<name>`; goes on over renewals. Closed by the caller. */
  readonly transport: Transport;
  /** Renews both certificates before they end, until `signal` aborts. `onServing` is told of each new serving certificate. */
  run(signal: AbortSignal, onServing?: (serving: KeyPair) => void): Promise<void>;
}

const CLIENT = 'kubelet-client';
const SERVING = 'kubelet-serving';
const RETRY_MS = 60_000;
/** The longest delay that timers take is 24 days; looking once a day costs nothing. */
const LOOK_MS = 24 * 3_600_000;

/**
 * Makes this machine a node of a cluster: checks the cluster by the authority's hash and the token's signature, asks for a client certificate
 * by the token and for a serving certificate by that. What is there from an earlier time is used again. Source: TLS bootstrapping.
 * @throws {JoinError} with words for the operator.
 */
export async function bootstrapNode(options: BootstrapOptions): Promise<NodeCredentials> {
  const { server, nodeName, directory, clock, random, signal } = options;
  const ca = await authorityOf(options);
  let held = await readPair(directory, CLIENT, clock.now());
  if (held !== undefined && !isIssued(held, ca, nodeName)) held = undefined;
  if (held === undefined) {
    held = await withTransport(newHttpsTransport({ server, ca, token: tokenOf(options) }), (transport) =>
      requestNodeCertificate({ client: newClient(transport), clock, nodeName, signal }),
    );
    await writePair(directory, CLIENT, held);
  }
  const transport = newSwappableTransport(newHttpsTransport({ server, ca, cert: held.cert, key: held.key }));
  const names = namesOf(options);
  const requestServing = (): Promise<KeyPair> =>
    requestNodeCertificate({ client: newClient(transport), clock, nodeName, serving: names, signal });
  let serving = await readPair(directory, SERVING, clock.now());
  if (serving === undefined || !isIssued(serving, ca, nodeName) || !covers(serving, names)) {
    serving = await requestServing();
    await writePair(directory, SERVING, serving);
  }

  const renewClient = async (): Promise<KeyPair> => {
    const fresh = await requestNodeCertificate({ client: newClient(transport), clock, nodeName, signal });
    await writePair(directory, CLIENT, fresh);
    await transport.swap(newHttpsTransport({ server, ca, cert: fresh.cert, key: fresh.key }));
    return fresh;
  };
  const first = { client: held, serving };
  return {
    ca,
    serving,
    transport,
    async run(until, onServing) {
      await Promise.all([
        keepFresh(first.client, renewClient, clock, random, until),
        keepFresh(
          first.serving,
          async () => {
            const fresh = await requestServing();
            await writePair(directory, SERVING, fresh);
            onServing?.(fresh);
            return fresh;
          },
          clock,
          random,
          until,
        ),
      ]);
    },
  };
}

async function withTransport<T>(transport: Transport, use: (transport: Transport) => Promise<T>): Promise<T> {
  try {
    return await use(transport);
  } finally {
    await transport.close();
  }
}

function tokenOf({ token, server }: BootstrapOptions): string {
  if (token === undefined)
    throw new JoinError(`this machine has not joined ${server} yet: a token is needed; make one with "orrery token create"`);
  parseJoinToken(token);
  return token;
}

/** The authority from an earlier time when its hash is the one asked for, or from the server. */
async function authorityOf(options: BootstrapOptions): Promise<string> {
  const { directory, caHash, server, signal } = options;
  if (!/^sha256:[0-9a-f]{64}$/i.test(caHash))
    throw new JoinError('the hash of the authority must look like sha256:<64 hexadecimal digits>');
  const file = join(directory, 'ca.crt');
  const known = await readFile(file, 'utf8').catch(() => undefined);
  if (known !== undefined && caHashOf(known) === caHash.toLowerCase()) return known;
  const ca = await discoverAuthority(server, parseJoinToken(tokenOf(options)), caHash, signal);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writePrivate(file, ca);
  return ca;
}

const isAddress = (host: string): boolean => /^[\d.]+$/.test(host) || host.includes(':');

const namesOf = ({
  nodeName,
  addresses,
}: BootstrapOptions): { readonly dnsNames: readonly string[]; readonly ipAddresses: readonly string[] } => ({
  dnsNames: [...new Set([nodeName, 'localhost', ...addresses.filter((host) => !isAddress(host))])],
  ipAddresses: [...new Set(['127.0.0.1', ...addresses.filter(isAddress)])],
});

function isIssued({ cert }: KeyPair, ca: string, nodeName: string): boolean {
  const certificate = new X509Certificate(cert);
  return certificate.verify(new X509Certificate(ca).publicKey) && certificate.subject.split('\n').includes(`CN=system:node:${nodeName}`);
}

function covers({ cert }: KeyPair, { dnsNames, ipAddresses }: ReturnType<typeof namesOf>): boolean {
  const certificate = new X509Certificate(cert);
  return (
    dnsNames.every((name) => certificate.checkHost(name) !== undefined) &&
    ipAddresses.every((address) => certificate.checkIP(address) !== undefined)
  );
}

/** Renews in time, again and again; a failure is tried again a minute later, since there is a tenth of its life left at least. */
async function keepFresh(first: KeyPair, renew: () => Promise<KeyPair>, clock: Clock, random: Random, signal: AbortSignal): Promise<void> {
  let atMs = renewAtMs(first, random.float());
  while (!signal.aborted) {
    await clock.sleep(Math.min(Math.max(atMs - clock.now(), 0), LOOK_MS), signal).catch(() => undefined);
    if (signal.aborted || clock.now() < atMs) continue;
    try {
      atMs = renewAtMs(await renew(), random.float());
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof JoinError) throw error;
      atMs = clock.now() + RETRY_MS;
    }
  }
}
