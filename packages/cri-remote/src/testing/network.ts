import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { systemRandom } from '@orrery/base';

const run = promisify(execFile);
const ip = async (line: string): Promise<void> => void (await run('ip', line.split(' ')));

/** Where a test's containerd makes the network of its pods. */
export interface TestNetwork {
  /** What a command must begin with to run in this network; empty: it is the machine's own. */
  readonly enter: readonly string[];
  /** Pods are on it; their addresses are in `subnet`. */
  readonly bridge: string;
  readonly subnet: string;
  /** This process and containerd reach each other there. */
  readonly hereAddress: string;
  readonly thereAddress: string;
  close(): Promise<void>;
}

/** A network namespace with a cable to ours: all that containerd's network makes, vanishes with it. */
export async function makeTestNetwork(): Promise<TestNetwork> {
  const name = `orrcd-${process.pid}`;
  const [here, there] = [`orc${process.pid}a`, `orc${process.pid}b`];
  const cable = `10.253.${process.pid % 250}`;
  const [hereAddress, thereAddress] = [`${cable}.1`, `${cable}.2`];
  const steps = [
    `netns add ${name}`,
    `link add ${here} type veth peer name ${there} netns ${name}`,
    `address add ${hereAddress}/30 dev ${here}`,
    `link set ${here} up`,
    `-n ${name} link set lo up`,
    `-n ${name} address add ${thereAddress}/30 dev ${there}`,
    `-n ${name} link set ${there} up`,
  ];
  const close = (): Promise<void> => ip(`netns delete ${name}`);
  try {
    for (const step of steps) await ip(step);
  } catch (err) {
    await close().catch(() => undefined);
    throw err;
  }
  const enter = ['nsenter', `--net=/var/run/netns/${name}`];
  return { enter, bridge: 'orrcd0', subnet: '10.252.0.0/24', hereAddress, thereAddress, close };
}

const SUBNETS = 250;

/** A bridge on this machine, where Services are reached from pods. Two of them never share addresses: the number in the name says which. */
export async function makeTestBridge(): Promise<TestNetwork> {
  const first = Math.floor(systemRandom.float() * SUBNETS);
  for (let tries = 0; tries < SUBNETS; tries += 1) {
    const number = (first + tries) % SUBNETS;
    const bridge = `orrcd-b${number}`;
    const made = await ip(`link add ${bridge} type bridge`).then(
      () => true,
      (err: Error) => {
        if (/exists/i.test(err.message)) return false;
        throw err;
      },
    );
    if (!made) continue;
    const [hereAddress, thereAddress] = ['127.0.0.1', '127.0.0.1'];
    return { enter: [], bridge, subnet: `10.251.${number}.0/24`, hereAddress, thereAddress, close: () => ip(`link delete ${bridge}`) };
  }
  throw new Error(`all ${SUBNETS} bridges for tests are in use`);
}
