import type { Machine } from '../machine.ts';

/** Virtual addresses on the loopback device, each there while somebody claims it. */
export interface LoopbackAddresses {
  /** Makes the address this machine's. What is in 127.0.0.0/8 already is. @throws Error when that is not allowed. */
  claim(address: string): Promise<void>;
  release(address: string): Promise<void>;
}

const EXISTS = /File exists|already assigned/;

export function newLoopbackAddresses(machine: Machine): LoopbackAddresses {
  /** Claims by address. Invariant: at least 1. */
  const claims = new Map<string, number>();
  const isLocal = (address: string): boolean => address.startsWith('127.') || address === '::1';
  const change = (verb: 'add' | 'del', address: string) =>
    machine.run('ip', ['addr', verb, `${address}/${address.includes(':') ? 128 : 32}`, 'dev', 'lo']);

  return {
    async claim(address) {
      if (isLocal(address)) return;
      const known = claims.get(address) ?? 0;
      claims.set(address, known + 1);
      if (known > 0) return;
      const { code, stderr } = await change('add', address);
      if (code !== 0 && !EXISTS.test(stderr)) throw new Error(`ip addr add ${address} dev lo: ${stderr.trim()}`);
    },
    async release(address) {
      const known = claims.get(address);
      if (known === undefined) return;
      if (known > 1) claims.set(address, known - 1);
      else {
        claims.delete(address);
        await change('del', address); // Gone already, or never there: nothing else to do.
      }
    },
  };
}
