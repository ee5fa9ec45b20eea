import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realClients } from '../support/clients.ts';
import { type Finished, orreryProgram, run } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';

/** A network namespace that stands for a machine, with folders of its own. */
export interface Machine {
  readonly name: string;
  readonly address: string;
  readonly home: string;
  /** Runs a program as on that machine. Throws with its output when it fails. */
  exec(file: string, args: readonly string[], timeoutMs?: number): Promise<string>;
  tryExec(file: string, args: readonly string[], timeoutMs?: number): Promise<Finished>;
  orrery(args: readonly string[]): Promise<string>;
  /** One that runs on. */
  start(args: readonly string[]): ChildProcess;
  /** Takes the machine off the network, or puts it back. */
  plug(connected: boolean): Promise<void>;
}

export interface Machines {
  readonly all: readonly Machine[];
  dispose(): Promise<void>;
}

/** Machines on one wire: a bridge in a namespace of its own, so that nothing leads to this machine's networks. */
export async function makeMachines(names: readonly string[]): Promise<Machines> {
  const prefix = `orrn${process.pid}`;
  const hub = `${prefix}-hub`;
  const root = await mkdtemp(join(tmpdir(), 'orrery-nodes-'));
  const ip = async (line: string): Promise<void> => {
    const { code, stderr } = await run('ip', line.split(' '));
    if (code !== 0) throw new Error(`ip ${line}: ${stderr}`);
  };
  await ip(`netns add ${hub}`);
  await ip(`-n ${hub} link add wire type bridge forward_delay 0`);
  await ip(`-n ${hub} link set wire up`);
  const all: Machine[] = [];
  for (const [index, name] of names.entries()) {
    const netns = `${prefix}-${name}`;
    const address = `10.99.0.${index + 1}`;
    await ip(`netns add ${netns}`);
    await ip(`link add eth0 netns ${netns} type veth peer name port-${name} netns ${hub}`);
    await ip(`-n ${hub} link set port-${name} master wire up`);
    await ip(`-n ${netns} link set lo up`);
    await ip(`-n ${netns} address add ${address}/24 dev eth0`);
    await ip(`-n ${netns} link set eth0 up`);
    all.push(
      machineOf(name, address, netns, join(root, name), (connected) => ip(`-n ${hub} link set port-${name} ${connected ? 'up' : 'down'}`)),
    );
  }
  return {
    all,
    async dispose() {
      for (const { name } of all) await run('ip', ['netns', 'del', `${prefix}-${name}`]);
      await run('ip', ['netns', 'del', hub]);
      await rm(root, { recursive: true, force: true });
    },
  };
}

function machineOf(name: string, address: string, netns: string, home: string, plug: Machine['plug']): Machine {
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    XDG_DATA_HOME: join(home, 'data'),
    KUBECONFIG: join(home, 'data/orrery/default/kubeconfig'),
    LANG: 'C.UTF-8',
  };
  const inside = (file: string, args: readonly string[]): string[] => [`--net=/var/run/netns/${netns}`, file, ...args];
  const tryExec: Machine['tryExec'] = (file, args, timeoutMs = 60_000) => run('nsenter', inside(file, args), { env, timeoutMs });
  const exec: Machine['exec'] = async (file, args, timeoutMs) => {
    const { code, stdout, stderr } = await tryExec(file, args, timeoutMs);
    if (code !== 0) throw new Error(`${name}: ${file} ${args.join(' ')}: exit ${code}\n${stdout}${stderr}`);
    return stdout;
  };
  return {
    name,
    address,
    home,
    exec,
    tryExec,
    orrery: (args) => exec(process.execPath, [orreryProgram, ...args]),
    start: (args) => spawn('nsenter', inside(process.execPath, [orreryProgram, ...args]), { env, stdio: 'ignore' }),
    plug,
  };
}

/** Asks a machine that has a kubeconfig. */
export function kubectlOf(machine: Machine): (...args: readonly string[]) => Promise<string> {
  const { kubectl } = realClients();
  return (...args) => machine.exec(kubectl, args);
}

/** Joins a machine to the cluster of another, by what that one prints. */
export async function joinNode(server: Machine, machine: Machine): Promise<ChildProcess> {
  const command = (await server.orrery(['token', 'create', '--print-join-command'])).trim().split(/\s+/).slice(1);
  const child = machine.start([...command, '--node-name', machine.name, '--runtime=oci']);
  const kubectl = kubectlOf(server);
  await eventually(() => kubectl('get', 'node', machine.name), 60_000);
  return child;
}
