import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let count = 0;

/** A short id that no other test process uses at the same time. */
export function testInstanceId(): string {
  count += 1;
  return `t${(process.pid % 46_656).toString(36)}${count.toString(36)}`.slice(0, 8);
}

/** Whether this machine lets tests make network namespaces and rules. */
export const canMakeNetworks: boolean =
  process.platform === 'linux' && spawnSync('unshare', ['-n', 'sh', '-c', 'ip link add br-t type bridge && nft list tables']).status === 0;

/** A "machine": a network namespace with loopback up, outside of which the tests touch nothing. */
export interface TestHost extends Disposable {
  readonly netns: string;
  readonly directory: string;
  /** Runs a script in the machine's namespace, or in another by its path; returns stdout. Throws where it fails. */
  run(script: string, netns?: string): string;
  /** As `run`; tells how it ended. */
  try(script: string, netns?: string): { readonly code: number | null; readonly stdout: string; readonly stderr: string };
}

export function newTestHost(name: string): TestHost {
  const full = `orrtest-${process.pid}-${name}`;
  execFileSync('ip', ['netns', 'add', full]);
  const netns = `/run/netns/${full}`;
  const directory = mkdtempSync(join(tmpdir(), 'orrery-pod-network-'));
  const attempt: TestHost['try'] = (script, where = netns) => {
    const { status, stdout, stderr } = spawnSync('nsenter', [`--net=${where}`, 'sh', '-c', script], { encoding: 'utf8', timeout: 20_000 });
    return { code: status, stdout, stderr };
  };
  const run: TestHost['run'] = (script, where) => {
    const { code, stdout, stderr } = attempt(script, where);
    if (code !== 0) throw new Error(`${script}: code ${code}: ${stderr}${stdout}`);
    return stdout;
  };
  run('ip link set lo up');
  return {
    netns,
    directory,
    run,
    try: attempt,
    [Symbol.dispose]() {
      execFileSync('ip', ['netns', 'del', full]);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Joins two machines by a cable: addresses with their prefix. */
export function connectHosts(a: TestHost, addressA: string, b: TestHost, addressB: string): void {
  a.run(`ip link add eth0 type veth peer name eth0 netns ${b.netns.split('/').pop()}`);
  a.run(`ip addr add ${addressA} dev eth0 && ip link set eth0 up`);
  b.run(`ip addr add ${addressB} dev eth0 && ip link set eth0 up`);
}
