import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { realClock, sealedStdio } from '@orrery/base';

const run = promisify(execFile);
const START_TIMEOUT_MS = 20_000;

/** Why containerd cannot be tested here; undefined when it can. */
export async function containerdProblem(): Promise<string | undefined> {
  if (process.geteuid?.() !== 0) return 'containerd needs root';
  for (const path of ['/usr/bin/containerd', '/usr/bin/containerd-shim-runc-v2', '/usr/lib/cni/bridge', '/usr/lib/cni/portmap'])
    if (!existsSync(path)) return `${path} is not installed`;
  return undefined;
}

/** A network namespace with a cable to ours: all that containerd's network makes, vanishes with it. */
export interface TestNetwork {
  readonly name: string;
  /** Of the two ends of the cable. */
  readonly hereAddress: string;
  readonly thereAddress: string;
  close(): Promise<void>;
}

export async function makeTestNetwork(): Promise<TestNetwork> {
  const name = `orrcd-${process.pid}`;
  const [here, there] = [`orc${process.pid}a`, `orc${process.pid}b`];
  const subnet = `10.253.${process.pid % 250}`;
  const [hereAddress, thereAddress] = [`${subnet}.1`, `${subnet}.2`];
  const steps = [
    `netns add ${name}`,
    `link add ${here} type veth peer name ${there} netns ${name}`,
    `address add ${hereAddress}/30 dev ${here}`,
    `link set ${here} up`,
    `-n ${name} link set lo up`,
    `-n ${name} address add ${thereAddress}/30 dev ${there}`,
    `-n ${name} link set ${there} up`,
  ];
  const close = async (): Promise<void> => void (await run('ip', ['netns', 'delete', name]));
  try {
    for (const step of steps) await run('ip', step.split(' '));
  } catch (err) {
    await close().catch(() => undefined);
    throw err;
  }
  return { name, hereAddress, thereAddress, close };
}

export interface TestContainerd {
  readonly endpoint: string;
  /** Ends the daemon, as an upgrade does: containers go on. */
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

export interface ContainerdOptions {
  readonly network: TestNetwork;
  /** Served over plain HTTP; has `orrery/pause:1`. */
  readonly registryHost: string;
}

/** A containerd with everything of its own in a temporary directory. */
export async function startContainerd({ network, registryHost }: ContainerdOptions): Promise<TestContainerd> {
  const directory = await mkdtemp(join(tmpdir(), 'orrery-containerd-'));
  const socket = join(directory, 'containerd.sock');
  const config = join(directory, 'config.toml');
  await writeFile(config, configOf(directory, socket, network, registryHost));
  await writeRegistryHost(join(directory, 'certs.d', registryHost), registryHost);
  await mkdir(join(directory, 'cni'));
  await writeFile(join(directory, 'cni', '10-test.conflist'), JSON.stringify(networkOf(directory)));
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    const command = [`--net=/var/run/netns/${network.name}`, '/usr/bin/containerd', '--config', config];
    child = spawn('nsenter', command, { stdio: sealedStdio(['ignore', 'ignore', 'ignore']) });
    const begunMs = realClock.monotonicMs();
    while (!existsSync(socket)) {
      if (child.exitCode !== null || realClock.monotonicMs() - begunMs > START_TIMEOUT_MS) throw new Error('containerd did not start');
      await realClock.sleep(20);
    }
  };
  const stop = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null) return;
    const ended = new Promise<void>((resolve) => child?.once('close', () => resolve()));
    child.kill('SIGTERM');
    await ended;
    await rm(socket, { force: true });
  };
  const close = async (): Promise<void> => {
    await stop();
    await endShims(socket);
    for (const point of await mountsBelow(directory)) await run('umount', ['-l', point]);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await start();
  } catch (err) {
    await close();
    throw err;
  }
  return { endpoint: `unix://${socket}`, start, stop, close };
}

function configOf(directory: string, socket: string, { thereAddress }: TestNetwork, registryHost: string): string {
  return `version = 2
root = "${directory}/root"
state = "${directory}/state"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper"]
[grpc]
  address = "${socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${registryHost}/orrery/pause:1"
  restrict_oom_score_adj = true
  stream_server_address = "${thereAddress}"
  netns_mounts_under_state_dir = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${directory}/cni"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "${directory}/certs.d"
`;
}

async function writeRegistryHost(directory: string, host: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeFile(
    join(directory, 'hosts.toml'),
    `server = "http://${host}"\n[host."http://${host}"]\n  capabilities = ["pull", "resolve"]\n`,
  );
}

function networkOf(directory: string): object {
  const ipam = {
    type: 'host-local',
    dataDir: join(directory, 'addresses'),
    ranges: [[{ subnet: '10.252.0.0/24' }]],
    routes: [{ dst: '0.0.0.0/0' }],
  };
  return {
    cniVersion: '0.4.0',
    name: 'orrery-test',
    plugins: [
      { type: 'bridge', bridge: 'orrcd0', isGateway: true, ipMasq: false, hairpinMode: true, ipam },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
}

/** Shims outlive containerd: those that a failed test leaves behind. */
async function endShims(socket: string): Promise<void> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (command.includes('containerd-shim') && command.includes(socket)) process.kill(Number(pid), 'SIGKILL');
  }
}

/** The innermost first. */
async function mountsBelow(directory: string): Promise<readonly string[]> {
  const table = await readFile('/proc/self/mountinfo', 'utf8');
  const points = table.split('\n').map((line) => line.split(' ')[4] ?? '');
  return points.filter((point) => point.startsWith(`${directory}/`)).toReversed();
}
