import type { Lease } from '../leases.ts';
import { type Shell, withInput } from '../shell/shell.ts';
import { type HostRulesInput, hostPortElements } from './host-rules.ts';
import { addressCommand, type LinkInput, linkLines, unlinkScript } from './link-commands.ts';

const LANES = 2; // Address commands that run at a time: most of each is waiting for the kernel's locks.

/** Makes and ends pods' links, many with one script. */
export interface PodLinks {
  /** @throws PodNetworkError `CommandFailed`; then some may be half made. */
  make(leases: readonly Lease[]): Promise<void>;
  /** @throws PodNetworkError `CommandFailed` when something stayed. */
  end(leases: readonly Lease[]): Promise<void>;
}

function inLanes(commands: readonly string[]): string {
  if (commands.length < 2) return commands.join('\n');
  const lanes = Array.from({ length: LANES }, (_, lane) => commands.filter((_, index) => index % LANES === lane));
  const parts = lanes.map((lane) => `(set -e\n${lane.join('\n')}\n) &\np="$p $!"`);
  return `p=\n${parts.join('\n')}\nf=0; for q in $p; do wait $q || f=1; done; [ $f = 0 ]`;
}

/** Entries of UDP keep the way they once took: those of a port that now leads elsewhere must go. Absent programs and entries are no failure. */
function forgetUdp(leases: readonly Lease[], addressesOf: (slot: number) => readonly string[]): string[] {
  return leases.flatMap(({ slot, hostPorts }) =>
    hostPorts
      .filter(({ protocol }) => protocol === 'UDP')
      .flatMap(({ hostPort }) => [
        `conntrack -D -p udp --orig-port-dst ${hostPort} >/dev/null 2>&1 || :`,
        ...addressesOf(slot).map((address) => `conntrack -D -p udp --reply-src ${address} >/dev/null 2>&1 || :`),
      ]),
  );
}

export function newPodLinks(shell: Shell, link: LinkInput, rules: HostRulesInput): PodLinks {
  const elements = (verb: 'add' | 'delete', leases: readonly Lease[]): string[] =>
    leases.flatMap(({ slot, hostPorts }) => hostPortElements(rules, verb, { addresses: link.node.addressesOf(slot), hostPorts }));

  /** Each alone: an element that is not there must not keep the others. */
  const closePorts = async (leases: readonly Lease[]): Promise<void> => {
    const lines = elements('delete', leases);
    if (lines.length === 0) return;
    const all = await shell.run(withInput('nft -f -', lines.join('\n')));
    if (all.code !== 0) await shell.run(lines.map((line) => withInput('nft -f - 2>/dev/null || :', line)).join('\n'));
    await shell.run(forgetUdp(leases, link.node.addressesOf).join('\n'));
  };

  return {
    async make(leases) {
      const ports = elements('add', leases);
      const steps = [
        withInput('ip -batch -', linkLines(link, leases).join('\n')),
        inLanes(leases.map((lease) => addressCommand(link, lease))),
      ];
      if (ports.length > 0) steps.push(withInput('nft -f -', ports.join('\n')));
      for (const step of steps) await shell.check(step);
      if (ports.length > 0) await shell.run(forgetUdp(leases, link.node.addressesOf).join('\n'));
    },
    async end(leases) {
      await closePorts(leases);
      await shell.check(unlinkScript(link, leases));
    },
  };
}
