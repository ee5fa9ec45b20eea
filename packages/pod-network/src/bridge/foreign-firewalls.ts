import type { Clock, Timer } from '@orrery/base';
import type { Logger } from '@orrery/component';
import type { InstanceNames } from '../names.ts';
import { type Shell, withInput } from '../shell/shell.ts';
import type { NodeRanges } from './node-ranges.ts';

/**
 * Lets pods through firewalls of others. An `accept` of our own tables does not help against a `drop` of theirs, so where one drops or
 * refuses what it says nothing about (Docker, ufw, firewalld), rules of ours go last: what pods begin, what is answered to them, and what
 * they ask of their gateway. Who comes from outside is for the firewall's owner to let in. Every rule carries {@link ruleComment}.
 */
export async function openForeignFirewalls(shell: Shell, names: InstanceNames, node: NodeRanges): Promise<void> {
  for (const program of await tablePrograms(shell)) await openTables(shell, program, names, node);
  const { code, stdout } = await shell.run('nft -j list chains');
  if (code !== 0) return;
  for (const chain of foreignChains(stdout)) await openChain(shell, chain, names, node);
}

const PERIOD_MS = 30_000; // A firewall that is loaded again forgets what is not its own.

/** Does so now, and again and again until it is cancelled. */
export function keepForeignFirewallsOpen(
  shell: Shell,
  names: InstanceNames,
  node: NodeRanges,
  clock: Clock,
  log: Logger,
): Pick<Timer, 'cancel'> {
  let timer: Timer | undefined;
  let cancelled = false;
  const look = async (): Promise<void> => {
    await openForeignFirewalls(shell, names, node).catch((error: unknown) => {
      if (!cancelled) log.warn('the firewalls of others could not be looked after', { error });
    });
    if (!cancelled) timer = clock.after(PERIOD_MS, () => void look(), { background: true });
  };
  void look();
  return {
    cancel() {
      cancelled = true;
      timer?.cancel();
    },
  };
}

/** Finds our rules again, whatever the tables of others look like by then. */
export const ruleComment = ({ tablePrefix }: Pick<InstanceNames, 'tablePrefix'>): string => tablePrefix.slice(0, -1);

/** Shell: takes every rule of ours out of the tables of others. */
export const closeForeignFirewallsScript = (names: Pick<InstanceNames, 'tablePrefix'>): string => `
for p in iptables-nft ip6tables-nft iptables-legacy ip6tables-legacy; do
  case $p in ip6*) l=/proc/net/ip6_tables_names ;; *) l=/proc/net/ip_tables_names ;; esac
  case $p in *legacy) grep -qx filter $l 2>/dev/null || continue ;; esac
  command -v $p >/dev/null || continue
  $p -w -S 2>/dev/null | sed -n '/--comment "*${ruleComment(names)}"* /s/^-A /-D /p' | xargs -r -L1 $p -w 2>/dev/null
done
if command -v nft >/dev/null; then
  nft -a list ruleset 2>/dev/null |
    awk '/^table /{t=$2" "$3} /^\\tchain /{c=$2} /comment "${ruleComment(names)}" # handle/{print "delete rule "t" "c" handle "$NF}' | nft -f -
fi`;

interface Family {
  readonly ip: 'ip' | 'ip6';
  readonly gateway: string | undefined;
}

const familiesOf = ({ ranges, gateways }: NodeRanges): readonly Family[] =>
  (['ip', 'ip6'] as const).map((ip) => ({
    ip,
    gateway: gateways[ranges.findIndex(({ family }) => (family === 'IPv4') === (ip === 'ip'))],
  }));

/** iptables, in both its forms; only those whose table is there. */
async function tablePrograms(shell: Shell): Promise<readonly string[]> {
  const { stdout } = await shell.run(`
for f in ip ip6; do
  ! grep -qx filter /proc/net/\${f}_tables_names 2>/dev/null || ! command -v \${f}tables-legacy >/dev/null || echo \${f}tables-legacy
  ! nft list table $f filter >/dev/null 2>&1 || ! command -v \${f}tables-nft >/dev/null || echo \${f}tables-nft
done`);
  return stdout.split('\n').filter((line) => line !== '');
}

async function openTables(shell: Shell, program: string, names: InstanceNames, node: NodeRanges): Promise<void> {
  const family = familiesOf(node).find(({ ip }) => program.startsWith(`${ip}tables`));
  if (family?.gateway === undefined) return;
  const { bridge, vxlan } = names;
  const rules: Readonly<Record<string, readonly string[]>> = {
    FORWARD: [`-i ${bridge}`, `-i ${vxlan}`, `-o ${bridge} -m conntrack --ctstate RELATED,ESTABLISHED`],
    INPUT: [`-i ${bridge} -d ${family.gateway}`],
  };
  for (const [chain, matches] of Object.entries(rules)) {
    const { stdout } = await shell.run(`${program} -w -S ${chain}`);
    const end = endOfTable(stdout);
    if (end === undefined) continue;
    const add = end === 'policy' ? `-A ${chain}` : `-I ${chain} ${end}`;
    const texts = matches.map((match) => `${match} -m comment --comment ${ruleComment(names)} -j ACCEPT`);
    await shell.run(texts.map((text) => `${program} -w -C ${chain} ${text} 2>/dev/null || ${program} -w ${add} ${text}`).join('\n'));
  }
}

/** What ends a chain, so that nothing passes: its policy, or the rule of that number. Undefined: what is not refused passes. */
export function endOfTable(listing: string): 'policy' | number | undefined {
  const lines = listing.split('\n');
  const number = lines.filter((line) => line.startsWith('-A ')).findIndex((line) => /^-A \S+ -j (DROP|REJECT)\b/.test(line)) + 1;
  if (number > 0) return number;
  return lines.some((line) => /^-P \S+ DROP/.test(line)) ? 'policy' : undefined;
}

/** The same of a chain of nftables, which has handles. */
export function endOfChain(listing: string): 'policy' | number | undefined {
  const handle = /^\s*(?:counter packets \d+ bytes \d+ )?(?:drop|reject)\b[^#]* # handle (\d+)$/m.exec(listing)?.[1];
  if (handle !== undefined) return Number(handle);
  return /\bpolicy drop;/.test(listing) ? 'policy' : undefined;
}

interface Chain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly hook?: string;
  readonly type?: string;
}

const isName = (text: string): boolean => /^[\w.-]{1,128}$/.test(text);

/** Chains of others where packets for pods, or from them, come by. iptables' own are its programs' to change, who could not read them after. */
export function foreignChains(listing: string): readonly Chain[] {
  const { nftables } = JSON.parse(listing) as { readonly nftables: readonly { readonly chain?: Chain }[] };
  return nftables.flatMap(({ chain }) => {
    if (chain === undefined || chain.type !== 'filter' || (chain.hook !== 'forward' && chain.hook !== 'input')) return [];
    const { family, table, name } = chain;
    if (!['ip', 'ip6', 'inet'].includes(family) || !isName(table) || !isName(name) || table.startsWith('orrery-')) return [];
    return table === 'filter' && family !== 'inet' && name === name.toUpperCase() ? [] : [chain];
  });
}

async function openChain(shell: Shell, { family, table, name, hook }: Chain, names: InstanceNames, node: NodeRanges): Promise<void> {
  const { stdout } = await shell.run(`nft -a list chain ${family} ${table} ${name}`);
  const comment = `comment "${ruleComment(names)}"`;
  const end = endOfChain(stdout);
  if (end === undefined || stdout.includes(comment)) return;
  const { bridge, vxlan } = names;
  const forward = [`iifname "${bridge}"`, `iifname "${vxlan}"`, `oifname "${bridge}" ct state established,related`];
  const input = familiesOf(node).flatMap(({ ip, gateway }) =>
    gateway === undefined || (family !== 'inet' && family !== ip) ? [] : [`iifname "${bridge}" ${ip} daddr ${gateway}`],
  );
  const chain = `${family} ${table} ${name}`;
  const add = end === 'policy' ? `add rule ${chain}` : `insert rule ${chain} position ${end}`;
  const rules = (hook === 'forward' ? forward : input).map((match) => `${add} ${match} accept ${comment}`);
  await shell.run(withInput('nft -f -', rules.join('\n')));
}
