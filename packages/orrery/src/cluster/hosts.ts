import { networkInterfaces } from 'node:os';

const unspecified: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/** Where a client on this machine reaches a server that listens on `host`: loopback, when that means every address. */
export function clientHost(host: string): string {
  return unspecified[host] ?? host;
}

/** {@link clientHost} as it stands in a URL. */
export function urlHost(host: string): string {
  const reached = clientHost(host);
  return reached.includes(':') ? `[${reached}]` : reached;
}

/** What the certificate of a server that listens on `host` names beside loopback: every address of this machine, when it listens on all. */
export function namesOf(host: string): readonly string[] {
  if (unspecified[host] === undefined) return [host];
  return Object.values(networkInterfaces())
    .flatMap((addresses = []) => addresses)
    .filter(({ internal, scopeid }) => !internal && (scopeid ?? 0) === 0)
    .map(({ address }) => address);
}

/** Where other machines reach a server that listens on `host`; undefined when they cannot. */
export function machineAddressOf(host: string): string | undefined {
  if (isLoopback(host)) return undefined;
  return unspecified[host] === undefined ? host : namesOf(host).find((address) => !address.includes(':'));
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || host.startsWith('127.');

/** The name of a host's node: a DNS name, which the host's may not be. */
export function nodeNameOf(host: string): string {
  const name = host
    .toLowerCase()
    .replace(/[^a-z0-9.-]/g, '-')
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '');
  return name === '' ? 'localhost' : name.slice(0, 63);
}
