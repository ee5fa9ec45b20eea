import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { realClock, sealedStdio } from '@orrery/base';
import type { TestNetwork } from './network.ts';

const run = promisify(execFile);
const START_TIMEOUT_MS = 20_000;

/** Why containerd cannot be tested here; undefined when it can. */
export async function containerdProblem(): Promise<string | undefined> {
  if (process.geteuid?.() !== 0) return 'containerd needs root';
  for (const path of ['/usr/bin/containerd', '/usr/bin/containerd-shim-runc-v2', '/usr/lib/cni/bridge', '/usr/lib/cni/portmap'])
    if (!existsSync(path)) return `${path} is not installed`;
  return undefined;
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
  /** Of the containers that hold pods' namespaces. */
  readonly sandboxImage: string;
  /** Where the images of registries come from, over plain HTTP: `<host>:<port>` by the name that references begin with. */
  readonly registries: Readonly<Record<string, string>>;
}

/** A containerd with everything of its own in a temporary directory. */
export async function startContainerd({ network, sandboxImage, registries }: ContainerdOptions): Promise<TestContainerd> {
  const directory = await mkdtemp(join(tmpdir(), 'orrery-containerd-'));
  const socket = join(directory, 'containerd.sock');
  const config = join(directory, 'config.toml');
  await writeFile(config, configOf(directory, socket, network, sandboxImage));
  for (const [name, host] of Object.entries(registries)) await writeRegistryHost(join(directory, 'certs.d', name), host);
  await mkdir(join(directory, 'cni'));
  await writeFile(join(directory, 'cni', '10-test.conflist'), JSON.stringify(networkOf(directory, network)));
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    const [file = '', ...args] = [...network.enter, '/usr/bin/containerd', '--config', config];
    child = spawn(file, args, { stdio: sealedStdio(['ignore', 'ignore', 'ignore']) });
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

function configOf(directory: string, socket: string, { thereAddress }: TestNetwork, sandboxImage: string): string {
  return `version = 2
root = "${directory}/root"
state = "${directory}/state"
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper"]
[grpc]
  address = "${socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${sandboxImage}"
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

function networkOf(directory: string, { bridge, subnet }: TestNetwork): object {
  const ipam = {
    type: 'host-local',
    dataDir: join(directory, 'addresses'),
    ranges: [[{ subnet }]],
    routes: [{ dst: '0.0.0.0/0' }],
  };
  return {
    cniVersion: '0.4.0',
    name: 'orrery-test',
    plugins: [
      { type: 'bridge', bridge, isGateway: true, ipMasq: false, hairpinMode: true, ipam },
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
