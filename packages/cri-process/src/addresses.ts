import { createHash } from 'node:crypto';
import { RuntimeError } from '@orrery/cri';

/** Loopback addresses for sandboxes: each gets its own of 127.0.0.0/8, which Linux answers without any set-up. */
export interface AddressPool {
  /** Never given to a pod: for what the node serves its pods. */
  readonly node: string;
  /** The address stays taken until it is released. */
  take(): string;
  reserve(address: string): void;
  release(address: string): void;
}

const HOSTS_MAX = 255 * 254; // The last octet skips 0 and 255, which some programs take for a network; 127.X.255.0/24 is the node's.

/**
 * @param seed - Distinguishes clusters on one machine: each has its own 127.X.0.0/16, X in 16..239.
 */
export function newAddressPool(seed: string): AddressPool {
  const octet = 16 + ((createHash('sha256').update(seed).digest()[0] ?? 0) % 224);
  const taken = new Set<string>();
  let next = 0; // The next number tried: addresses are not reused at once, so that late connections do not reach a new pod.
  const addressOf = (n: number): string => `127.${octet}.${Math.floor(n / 254)}.${1 + (n % 254)}`;
  return {
    node: `127.${octet}.255.1`,
    take() {
      for (let tried = 0; tried < HOSTS_MAX; tried += 1) {
        const address = addressOf(next);
        next = (next + 1) % HOSTS_MAX;
        if (taken.has(address)) continue;
        taken.add(address);
        return address;
      }
      throw new RuntimeError('UNAVAILABLE', `all ${HOSTS_MAX} pod addresses of this node are in use`);
    },
    reserve: (address) => void taken.add(address),
    release: (address) => void taken.delete(address),
  };
}
