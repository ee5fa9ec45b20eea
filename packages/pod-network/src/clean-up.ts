import { type Clock, realClock } from '@orrery/base';
import { closeForeignFirewallsScript } from './bridge/foreign-firewalls.ts';
import { namesOf } from './names.ts';
import { newShell } from './shell/shell.ts';

export interface CleanUpOptions {
  /** @default realClock */
  readonly clock?: Clock;
  /** As given to the network. */
  readonly hostNetns?: string | undefined;
}

/**
 * Ends everything of an instance by name alone, whoever made it: pods' namespaces and links, bridge, VXLAN device, all nftables tables
 * `orrery-<id>-…`. For after a kill -9, when nobody runs any more. What is gone already is no failure.
 *
 * @throws PodNetworkError `CommandFailed` when something stayed
 */
export async function cleanUpNetwork(instanceId: string, { clock = realClock, hostNetns }: CleanUpOptions = {}): Promise<void> {
  const { bridge, vxlan, vethPrefix, netnsPrefix, tablePrefix } = namesOf(instanceId);
  const shell = newShell({ clock, hostNetns });
  try {
    await shell.check(`
for f in /run/netns/${netnsPrefix}*; do [ ! -e "$f" ] || echo "netns del \${f##*/}"; done | ip -force -batch - 2>/dev/null
ip -o link show | sed -n 's/^[0-9]*: \\(${vethPrefix}[^@: ]*\\|${bridge}\\|${vxlan}\\)[@:].*/link del \\1/p' | ip -force -batch - 2>/dev/null
if command -v nft >/dev/null; then
  nft list tables 2>/dev/null | sed -n 's/^table \\([a-z0-9]* ${tablePrefix}.*\\)$/delete table \\1/p' | nft -f -
fi
c=$?
${closeForeignFirewallsScript({ tablePrefix })}
! ls -d /run/netns/${netnsPrefix}* >/dev/null 2>&1 || { echo "network namespaces stayed" >&2; c=1; }
! ip -o link show ${bridge} >/dev/null 2>&1 || { echo "the bridge stayed" >&2; c=1; }
[ -n "$(ls -A /run/netns 2>/dev/null)" ] || umount /run/netns 2>/dev/null # 'ip netns' mounts it on itself.
[ $c = 0 ]`);
  } finally {
    shell.close();
  }
}
