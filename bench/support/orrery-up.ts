import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { childEnvironment, endProcess } from '../processes.ts';
import { nowMs, sleep } from './timing.ts';

export interface RunningOrrery extends AsyncDisposable {
  readonly pid: number;
  /** From the start of the process until `/readyz` answered 200. */
  readonly readyMs: number;
  readonly kubeconfig: string;
  /** Runs another command of the same installation, as `image load`, and returns what it prints. Rejects when it fails. */
  run(args: readonly string[]): Promise<string>;
}

const STOP_MS = 25_000; // Pods end, and what was made on the machine is removed.
const COMMAND_MS = 30_000;
const POLL_MS = 2;
const execute = promisify(execFile);

/** `orrery up` as users start it, on an empty disk, with further arguments. Disposal is SIGTERM, as Ctrl+C. */
export async function orreryUp(directory: string, signal: AbortSignal, args: readonly string[] = []): Promise<RunningOrrery> {
  const bin = join(process.cwd(), 'packages/orrery/bin/orrery.cjs');
  if (!existsSync(bin)) throw new Error('run it in the root of the checkout');
  const port = await freePort();
  const data = join(directory, 'data');
  const environment = childEnvironment({ XDG_DATA_HOME: data, XDG_CACHE_HOME: join(directory, 'cache'), HOME: directory });
  const startMs = nowMs();
  const child = spawn(process.execPath, [bin, 'up', '--port', String(port), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const end = () => endProcess(child, STOP_MS);
  try {
    while (!((await isListening(port)) && (await isReady(port)))) {
      if (child.exitCode !== null) throw new Error(`orrery up ended with ${child.exitCode}:\n${output}`);
      signal.throwIfAborted();
      await sleep(POLL_MS);
    }
  } catch (err) {
    await end();
    throw err;
  }
  const readyMs = nowMs() - startMs;
  const kubeconfig = join(data, 'orrery/default/kubeconfig');
  const run = async (command: readonly string[]): Promise<string> =>
    (await execute(process.execPath, [bin, ...command], { env: environment, timeout: COMMAND_MS, signal })).stdout;
  return { pid: child.pid ?? 0, readyMs, kubeconfig, run, [Symbol.asyncDispose]: end };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Cheaper to ask than {@link isReady}: the one that asks shares the cores with what is measured. */
function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

/** Whom it asks does not matter here, so the certificate is not checked: its authority does not exist yet. */
function isReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request({ host: '127.0.0.1', port, path: '/readyz', rejectUnauthorized: false, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    asked.on('error', () => resolve(false));
    asked.end();
  });
}

const TICKS_PER_SECOND = 100; // sysconf(_SC_CLK_TCK) on Linux.

export interface ProcessUse {
  readonly rssBytes: number;
  readonly cpuMs: number;
}

/** What a process has used so far, by proc(5). */
export async function useOf(pid: number): Promise<ProcessUse> {
  const [stat, status] = await Promise.all(['stat', 'status'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8')));
  const fields = (stat ?? '').slice((stat ?? '').lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]); // utime and stime: fields 14 and 15.
  const rss = /^VmRSS:\s+(\d+) kB/m.exec(status ?? '')?.[1];
  return { rssBytes: Number(rss) * 1024, cpuMs: (ticks * 1000) / TICKS_PER_SECOND };
}
