import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { run } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { netProgram } from './net-server.ts';

/** Another machine on the wire: a network namespace that routes everything to this one. */
export interface Outside {
  /** Its own address, with the test server's ports 8080 (HTTP) and 8081 (UDP). */
  readonly address: string;
  /** This machine's address on that wire. */
  readonly machine: string;
  /** Asks the server there for a path, from this machine. */
  ask(path: string): Promise<string>;
  close(): Promise<void>;
}

async function must(program: string, ...args: string[]): Promise<void> {
  const { code, stderr } = await run(program, args);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
}

/** Makes it, with a server in it. Close it. */
export async function openOutside(): Promise<Outside> {
  const [id, net] = [randomInt(0x1000000).toString(36), `198.${18 + randomInt(2)}.${randomInt(256)}`];
  const [namespace, link, base] = [`orr-e2e-${id}`, `oe${id}`, 4 * randomInt(64)];
  const [machine, address] = [`${net}.${base + 1}`, `${net}.${base + 2}`];
  let server: ChildProcess | undefined;
  const close = async (): Promise<void> => {
    server?.kill('SIGKILL');
    await run('ip', ['netns', 'del', namespace]); // Its end of the link goes with it, and so the other.
    await run('ip', ['link', 'del', link]);
  };
  try {
    await must('ip', 'netns', 'add', namespace);
    await must('ip', 'link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
    await must('ip', 'addr', 'add', `${machine}/30`, 'dev', link);
    await must('ip', 'link', 'set', link, 'up');
    for (const args of [`addr add ${address}/30 dev eth0`, 'link set eth0 up', 'link set lo up', `route add default via ${machine}`]) {
      await must('ip', '-n', namespace, ...args.split(' '));
    }
    server = spawn('nsenter', [`--net=/run/netns/${namespace}`, 'python3', '-c', netProgram], {
      stdio: 'ignore',
      env: { PATH: process.env['PATH'] ?? '', NAME: 'outside', HTTP: '8080', UDP: '8081' },
    });
    const ask: Outside['ask'] = async (path) => {
      const answer = await fetch(`http://${address}:8080${path}`, { signal: AbortSignal.timeout(60_000) });
      return answer.text();
    };
    await eventually(() => ask('/hostname'));
    return { address, machine, ask, close };
  } catch (error) {
    await close();
    throw error;
  }
}
