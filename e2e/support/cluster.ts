import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../../tools/generate/source.ts';
import { realClients } from './clients.ts';

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Given to standard input, which then ends. */
  readonly input?: string | Buffer;
  /** @default 60000 */
  readonly timeoutMs?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number;
  readonly gid?: number;
  readonly cwd?: string;
}

/** Runs a program to its end. Never throws for its exit code; a time-out kills it and throws. */
export function run(
  file: string,
  args: readonly string[],
  { input, timeoutMs = 60_000, env, uid, gid, cwd }: RunOptions = {},
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      ...(env === undefined ? {} : { env }),
      ...(uid === undefined ? {} : { uid }),
      ...(gid === undefined ? {} : { gid }),
      ...(cwd === undefined ? {} : { cwd }),
    });
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${file} ${args.join(' ')}: not done in ${timeoutMs} ms\n${text(stdout)}\n${text(stderr)}`));
    }, timeoutMs);
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code: code ?? (signal === null ? -1 : 128), stdout: text(stdout), stderr: text(stderr) });
    });
  });
}

const text = (chunks: readonly Buffer[]): string => Buffer.concat(chunks).toString();

export interface TestCluster {
  /** The cluster's folders live below it. */
  readonly home: string;
  readonly kubeconfig: string;
  readonly env: Readonly<Record<string, string>>;
  /** Real kubectl against the cluster. Throws with its output when it fails. */
  kubectl(args: readonly string[], options?: RunOptions): Promise<string>;
  /** The same, with its exit code and both outputs. */
  tryKubectl(args: readonly string[], options?: RunOptions): Promise<Finished>;
  helm(args: readonly string[], options?: RunOptions): Promise<string>;
  /** A kubectl that runs on (watch, follow, port-forward); end it by `kill`. */
  startKubectl(args: readonly string[]): ChildProcess;
  orrery(args: readonly string[], options?: RunOptions): Promise<Finished>;
  /** `orrery reset`, and the folders removed. */
  dispose(): Promise<void>;
}

export interface TestClusterOptions {
  /** Content of an image map. */
  readonly imageMap?: string;
  /** Content of a registries file. */
  readonly registries?: string;
  readonly uid?: number;
  readonly gid?: number;
  /** The cluster's data lie on a disk of their own (in memory) of so many MiB. Needs root. */
  readonly diskMib?: number;
  /** Arguments of `orrery up` beside the usual ones; without `--runtime` pods are plain processes. */
  readonly up?: readonly string[];
}

export const orreryProgram = join(root, 'packages/orrery/bin/orrery.cjs');

/** A real cluster by the real command, in folders of its own, on a port of its own. */
export async function startTestCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  const { uid, gid } = options;
  const home = await mkdtemp(join(tmpdir(), 'orrery-e2e-'));
  if (uid !== undefined && gid !== undefined) await (await import('node:fs/promises')).chown(home, uid, gid);
  const env = { PATH: process.env['PATH'] ?? '', HOME: home, XDG_DATA_HOME: join(home, 'data'), LANG: 'C.UTF-8' };
  const as = { ...(uid === undefined ? {} : { uid }), ...(gid === undefined ? {} : { gid }), cwd: home };
  const { kubectl, helm } = realClients();
  const disk = options.diskMib === undefined ? undefined : await mountDisk(join(home, 'data'), options.diskMib);
  const orrery = (args: readonly string[], options: RunOptions = {}): Promise<Finished> =>
    run(process.execPath, [orreryProgram, ...args], { env, ...as, ...options });
  const started = await orrery(['up', '--detach', '--port', '0', ...(await upArguments(options, home))]);
  if (started.code !== 0) throw new Error(`orrery up: exit ${started.code}\n${started.stdout}${started.stderr}`);
  const kubeconfig = (await orrery(['kubeconfig', '--path'])).stdout.trim();
  const clientEnv = { ...env, KUBECONFIG: kubeconfig };
  const checked = async (file: string, args: readonly string[], options: RunOptions = {}): Promise<string> => {
    const { code, stdout, stderr } = await run(file, args, { env: clientEnv, cwd: home, ...options });
    if (code !== 0) throw new Error(`${args.join(' ')}: exit ${code}\n${stdout}${stderr}`);
    return stdout;
  };
  return {
    home,
    kubeconfig,
    env: clientEnv,
    kubectl: (args, options) => checked(kubectl, args, options),
    tryKubectl: (args, options) => run(kubectl, args, { env: clientEnv, cwd: home, ...options }),
    helm: (args, options) => checked(helm, args, options),
    startKubectl: (args) => spawn(kubectl, args, { env: clientEnv, cwd: home, stdio: ['pipe', 'pipe', 'pipe'] }),
    orrery,
    async dispose() {
      const { code, stdout, stderr } = await orrery(['reset', '--yes']);
      if (code !== 0) throw new Error(`orrery reset: exit ${code}\n${stdout}${stderr}`);
      await disk?.unmount();
      await rm(home, { recursive: true, force: true });
    },
  };
}

async function mountDisk(directory: string, mib: number): Promise<{ unmount(): Promise<void> }> {
  const checked = async (file: string, ...args: readonly string[]): Promise<void> => {
    const { code, stderr } = await run(file, args);
    if (code !== 0) throw new Error(`${file} ${args.join(' ')}: ${stderr}`);
  };
  await mkdir(directory, { mode: 0o700 });
  await checked('mount', '-t', 'tmpfs', '-o', `size=${mib}m,mode=700`, 'orrery-e2e', directory);
  return { unmount: () => checked('umount', directory) };
}

async function upArguments({ imageMap, registries, up = [] }: TestClusterOptions, home: string): Promise<string[]> {
  const given = up.some((argument) => argument.startsWith('--runtime')) ? [...up] : ['--runtime=process', ...up];
  const addFile = async (flag: string, name: string, content: string | undefined): Promise<void> => {
    if (content === undefined) return;
    await writeFile(join(home, name), content);
    given.push(flag, join(home, name));
  };
  await addFile('--image-map', 'images.yaml', imageMap);
  await addFile('--registries', 'registries.yaml', registries);
  return given;
}
