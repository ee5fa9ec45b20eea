import { type ChildProcess, spawn } from 'node:child_process';
import { realClock, sealedStdio } from '@orrery/base';
import { type CommandResult, runCommand } from '../command.ts';

/** Long enough for the slowest machine; nothing waits for it to pass. */
const READY_MS_MAX = 20_000;

/** Whether this machine lets tests make networks. */
export const canMakeNetworks = process.platform === 'linux' && process.getuid?.() === 0;

/** A host with a bridge and pods on it, and a machine outside: network namespaces of their own, so nothing leaves them. */
export interface NetworkLab {
  /** Path of the host's network namespace. */
  readonly host: string;
  /** 10.244.0.1/24 on the bridge `pods`, 192.0.2.1 towards the machine outside. */
  readonly gateway: '10.244.0.1';
  readonly hostAddress: '192.0.2.1';
  /** Adds a pod at 10.244.0.`number`. */
  pod(number: number): Promise<string>;
  /** Runs a program at a place: `host`, `outside`, or what `pod` answered. */
  at(place: string, program: string, ...args: string[]): Promise<CommandResult>;
  /**
   * Starts what answers every connection, or every packet, with `text` and who asks. Resolves when it listens.
   * @param address - What socat listens on: `TCP-LISTEN:80`.
   */
  serve(place: string, address: string, text: string): Promise<void>;
  /** What a server says to one who connects; `refused` or `timeout`. */
  ask(place: string, address: string): Promise<string>;
  close(): Promise<void>;
}

export async function newNetworkLab(): Promise<NetworkLab> {
  const prefix = `orrery-lab-${process.pid.toString(36)}${Math.floor(realClock.monotonicMs()).toString(36)}`;
  const namespaces: string[] = [];
  const servers: ChildProcess[] = [];
  const netns = (place: string): string => `/var/run/netns/${prefix}-${place}`;
  const at: NetworkLab['at'] = (place, program, ...args) => runCommand('nsenter', [`--net=${netns(place)}`, program, ...args]);
  const must = async (result: Promise<CommandResult>): Promise<void> => {
    const { code, stderr } = await result;
    if (code !== 0) throw new Error(stderr);
  };
  const addNamespace = async (place: string): Promise<void> => {
    await must(runCommand('ip', ['netns', 'add', `${prefix}-${place}`]));
    namespaces.push(place);
  };
  const script = (place: string, ...lines: string[]): Promise<void> =>
    must(runCommand('nsenter', [`--net=${netns(place)}`, 'ip', '-batch', '-'], { input: `${lines.join('\n')}\n` }));

  await addNamespace('host');
  await addNamespace('outside');
  await script(
    'host',
    'link set lo up',
    'link add pods type bridge',
    'addr add 10.244.0.1/24 dev pods',
    'link set pods up',
    `link add up0 type veth peer name up0 netns ${prefix}-outside`,
    'addr add 192.0.2.1/24 dev up0',
    'link set up0 up',
  );
  await script('outside', 'link set lo up', 'addr add 192.0.2.2/24 dev up0', 'link set up0 up', 'route add default via 192.0.2.1');
  await must(at('host', 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables'));

  return {
    host: netns('host'),
    gateway: '10.244.0.1',
    hostAddress: '192.0.2.1',
    at,
    async pod(number) {
      const place = `pod${number}`;
      await addNamespace(place);
      await script(
        'host',
        `link add v${number} type veth peer name eth0 netns ${prefix}-${place}`,
        `link set v${number} master pods`,
        `link set v${number} type bridge_slave hairpin on`,
        `link set v${number} up`,
      );
      await script(
        place,
        'link set lo up',
        `addr add 10.244.0.${number}/24 dev eth0`,
        'link set eth0 up',
        'route add default via 10.244.0.1',
      );
      return place;
    },
    async serve(place, address, text) {
      const server = spawn(
        'nsenter',
        [`--net=${netns(place)}`, 'socat', `${address},fork,reuseaddr`, `SYSTEM:echo ${text} $SOCAT_PEERADDR`],
        { stdio: sealedStdio(['ignore', 'ignore', 'ignore']) },
      );
      servers.push(server);
      const [kind = '', port = ''] = address.split(':');
      const listing = kind.startsWith('TCP') ? '-Htln' : '-Huln';
      const until = realClock.monotonicMs() + READY_MS_MAX;
      while (!(await at(place, 'ss', listing, `sport = :${port}`)).stdout.includes(`:${port}`)) {
        if (realClock.monotonicMs() > until) throw new Error(`${address} is not served`);
        await realClock.sleep(10);
      }
    },
    async ask(place, address) {
      const isUdp = address.startsWith('UDP');
      const options = isUdp ? '' : ',connect-timeout=2';
      const { stdout, stderr } = await runCommand(
        'nsenter',
        [`--net=${netns(place)}`, 'socat', '-t', '0.3', '-T', '2', '-', `${address}${options}`],
        { input: isUdp ? 'ask\n' : '' },
      );
      if (stdout !== '') return stdout.trim();
      return stderr.includes('refused') ? 'refused' : 'timeout';
    },
    async close() {
      for (const server of servers) server.kill('SIGKILL');
      for (const place of namespaces) await runCommand('ip', ['netns', 'delete', `${prefix}-${place}`]);
    },
  };
}
