import type { Lease } from '../leases.ts';
import { PodNetworkError } from '../pod-network-error.ts';
import { type Shell, withInput } from '../shell/shell.ts';
import { guardTableText, type HostRulesInput, hostPortElements, podTableText } from './host-rules.ts';
import { bridgeMac, bridgeScript, type LinkInput } from './link-commands.ts';

/** What is missing on this machine: for the log and the node's conditions, said once. */
export type Notes = string[];

const DEFAULT_MTU = 1500; // Ethernet's, where no default route says otherwise.
const VXLAN_BYTES = 50; // Outer IPv4, UDP and VXLAN headers.

/** The MTU of the device that leads outside. */
export async function detectMtu(shell: Shell, overlay: boolean): Promise<number> {
  const { stdout } = await shell.run(
    `d=$(ip -o route show default | sed -n 's/.* dev \\([^ ]*\\).*/\\1/p' | head -n 1); [ -n "$d" ] && ip -o link show dev "$d"`,
  );
  const found = Number(/ mtu (\d+)/.exec(stdout)?.[1] ?? DEFAULT_MTU);
  const outer = found >= 1280 ? Math.min(found, 65_535) : DEFAULT_MTU;
  return overlay ? outer - VXLAN_BYTES : outer;
}

/** Makes the bridge. @throws PodNetworkError `Unavailable`, saying what forbids it */
export async function setUpBridge(shell: Shell, link: LinkInput): Promise<void> {
  const { code, stderr } = await shell.run(bridgeScript(link));
  if (code === 0) return;
  const why = stderr.trim().split('\n')[0] ?? '';
  const hint = /Operation not permitted/.test(why) ? ' (it takes CAP_NET_ADMIN in this network namespace)' : '';
  throw new PodNetworkError('Unavailable', `cannot make the bridge ${link.names.bridge}: ${why}${hint}`);
}

const sysctl = (path: string, value: string): string => `[ "$(cat ${path})" = ${value} ] || echo ${value} >${path}`;

/** Lets the machine pass packets on between pods and the world. */
async function allowForwarding(shell: Shell, { names, node }: LinkInput): Promise<Notes> {
  const notes: Notes = [];
  const forward = node.ranges.map(({ family }) =>
    family === 'IPv4' ? '/proc/sys/net/ipv4/ip_forward' : '/proc/sys/net/ipv6/conf/all/forwarding',
  );
  for (const path of forward) {
    const { code } = await shell.run(sysctl(path, '1'));
    if (code !== 0) notes.push(`${path} cannot be set to 1: pods reach neither each other nor the outside`);
  }
  const routeLocal = await shell.run(sysctl(`/proc/sys/net/ipv4/conf/${names.bridge}/route_localnet`, '1'));
  if (routeLocal.code !== 0) notes.push('route_localnet cannot be set: host ports do not answer on 127.0.0.1');
  return notes;
}

/** Loads the node's tables with the host ports of what runs already. */
export async function loadHostRules(shell: Shell, input: HostRulesInput, leases: readonly Lease[]): Promise<Notes> {
  const elements = leases.flatMap(({ slot, hostPorts }) =>
    hostPortElements(input, 'add', { addresses: input.node.addressesOf(slot), hostPorts }),
  );
  const { code, stderr } = await shell.run(withInput('nft -f -', [podTableText(input), ...elements].join('\n')));
  if (code !== 0) {
    const why = stderr.trim().split('\n')[0] ?? '';
    return [`nftables cannot be used (${why}): pods do not reach outside the node, and host ports do not work`];
  }
  const guard = await shell.run(withInput('nft -f -', guardTableText(input.names, bridgeMac(input.node))));
  return guard.code === 0 ? [] : ['nftables has no bridge family here: a pod that makes its own frames can pass by network policies'];
}

/** Everything of the host that all pods share. */
export async function setUpHost(shell: Shell, link: LinkInput, rules: HostRulesInput, leases: readonly Lease[]): Promise<Notes> {
  await setUpBridge(shell, link);
  return [...(await allowForwarding(shell, link)), ...(await loadHostRules(shell, rules, leases))];
}
