import { existsSync, readdirSync } from 'node:fs';
import type { PodNetwork } from '@orrery/cri';
import { run } from '../host/process.ts';

const ADDRESSES = 250;

/** A network for tests: each pod has a namespace with a loopback device and an address on it; nothing leads out. */
export function newPlainNetwork(prefix: string): PodNetwork {
  const nameOf = (sandboxId: string): string => `${prefix}-${sandboxId.slice(0, 24)}`;
  const pathOf = (sandboxId: string): string => `/var/run/netns/${nameOf(sandboxId)}`;
  const taken = new Map<string, string>();
  const remove = async (name: string): Promise<void> => {
    if (existsSync(`/var/run/netns/${name}`)) await run('ip', ['netns', 'delete', name]);
  };
  return {
    async attach({ sandboxId, netnsOf }) {
      let host = 1;
      while ([...taken.values()].includes(`10.254.0.${host}`) && host < ADDRESSES) host += 1;
      const address = taken.get(sandboxId) ?? `10.254.0.${host}`;
      taken.set(sandboxId, address);
      const name = nameOf(sandboxId);
      const make = netnsOf === undefined ? `add ${name}` : `attach ${name} ${netnsOf}`;
      const script = `ip netns ${make} && ip -n ${name} link set lo up && ip -n ${name} address add ${address}/32 dev lo`;
      const { code, stderr } = await run('/bin/sh', ['-c', script]);
      if (code !== 0) throw new Error(stderr);
      return { netnsPath: pathOf(sandboxId), addresses: [address] };
    },
    async detach(sandboxId) {
      taken.delete(sandboxId);
      await remove(nameOf(sandboxId));
    },
    async retain(ids) {
      const kept = new Set([...ids].map(nameOf));
      const found = existsSync('/var/run/netns') ? readdirSync('/var/run/netns') : [];
      for (const name of found) if (name.startsWith(`${prefix}-`) && !kept.has(name)) await remove(name);
    },
    problem: () => undefined,
  };
}
