import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { Clock } from '@orrery/base';

/** Another DNS server. */
export interface Upstream {
  /** An IP address. */
  readonly address: string;
  /** @default 53 */
  readonly port?: number;
}

/** The servers of a resolv.conf(5), in order, without those in `except`: whoever forwards to itself never comes to an end. */
export function upstreamsOf(resolvConf: string, except: readonly string[] = []): Upstream[] {
  const addresses = resolvConf.split('\n').flatMap((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? []);
  return [...new Set(addresses)]
    .filter((address) => isIP(address.replace(/%.*$/, '')) !== 0 && !except.includes(address))
    .map((address) => ({ address }));
}

const READ_AGAIN_MS = 5000;

/** Reads the servers from a file, again when it was read 5 s ago: a laptop changes its network while the cluster runs. No file, no servers. */
export function upstreamsFromFile(path: string, except: readonly string[], clock: Clock): () => Promise<readonly Upstream[]> {
  let read: { readonly atMs: number; readonly upstreams: Promise<readonly Upstream[]> } | undefined;
  return () => {
    if (read === undefined || clock.monotonicMs() - read.atMs >= READ_AGAIN_MS) {
      const upstreams = readFile(path, 'utf8').then(
        (text) => upstreamsOf(text, except),
        () => [],
      );
      read = { atMs: clock.monotonicMs(), upstreams };
    }
    return read.upstreams;
  };
}
