import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { sealedStdio } from '@orrery/base';
import type { UplinkProgram } from './parts.ts';
import { runProgram } from './program.ts';

export interface Uplink {
  readonly kind: UplinkProgram['kind'];
  readonly pid: number;
}

/** Joins the network namespace of a process to the world, by the first program that can. Nothing of this machine's loopback is reached by it. */
export async function startUplink(
  programs: readonly UplinkProgram[],
  target: number,
  pidFile: string,
): Promise<{ readonly uplink: Uplink | undefined; readonly notes: readonly string[] }> {
  const failures: string[] = [];
  for (const { kind, path } of programs) {
    const started = kind === 'pasta' ? await startPasta(path, target, pidFile) : await startSlirp(path, target);
    if (typeof started === 'number') return { uplink: { kind, pid: started }, notes: [] };
    failures.push(`${kind}: ${started}`);
  }
  return { uplink: undefined, notes: [`pods and image pulls reach nothing outside this machine (${failures.join('; ')})`] };
}

/** Where pods ask for names of the outside, when the machine's own answers on its loopback alone. */
const PASTA_DNS = '169.254.1.1';
const SLIRP_DNS = '10.0.2.3';

/** @returns its process id, or why it failed. It is ready when it has gone to the background. */
async function startPasta(path: string, target: number, pidFile: string): Promise<number | string> {
  const none = ['-t', 'none', '-u', 'none', '-T', 'none', '-U', 'none', '--no-map-gw'];
  const argv = [path, '--config-net', '--quiet', ...none, '--dns-forward', PASTA_DNS, '-P', pidFile, `${target}`];
  const { code, stderr } = await runProgram(argv);
  if (code === 0) return Number(await readFile(pidFile, 'utf8'));
  const said = stderr.split('\n').filter((line) => line !== '' && !line.startsWith('Failed to send'));
  return said.at(-1) ?? `exit code ${code}`;
}

/** @returns its process id, or why it failed. */
function startSlirp(path: string, target: number): Promise<number | string> {
  const options = ['--configure', '--mtu=65520', '--disable-host-loopback', '--ready-fd=3'];
  return new Promise((resolve) => {
    const child = spawn(path, [...options, `${target}`, 'tap0'], {
      detached: true,
      cwd: '/',
      stdio: sealedStdio(['ignore', 'ignore', 'ignore', 'pipe']),
    });
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code) => resolve(`exit code ${code}`));
    const ready = child.stdio[3];
    ready?.once('data', () => {
      ready.destroy();
      child.unref();
      resolve(child.pid ?? 'no process id');
    });
  });
}

/** What `/etc/resolv.conf` must say in the namespaces; undefined when the machine's own will do. */
export async function resolvConfFor(kind: UplinkProgram['kind'] | undefined): Promise<string | undefined> {
  const text = await readFile('/etc/resolv.conf', 'utf8').catch(() => '');
  const servers = [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map(([, address = '']) => address);
  if (kind === undefined || servers.some((address) => !isLoopback(address))) return undefined;
  // The servers behind the one of systemd that is on the loopback.
  const behind = await readFile('/run/systemd/resolve/resolv.conf', 'utf8').catch(() => '');
  if (/^\s*nameserver\s/m.test(behind)) return behind;
  const others = text.split('\n').filter((line) => !/^\s*nameserver\s/.test(line));
  return [`nameserver ${kind === 'pasta' ? PASTA_DNS : SLIRP_DNS}`, ...others, ''].join('\n');
}

const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1';
