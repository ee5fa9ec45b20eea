import { type ChildProcess, spawn } from 'node:child_process';
import { get } from 'node:http';
import { join } from 'node:path';
import { root } from '../../tools/generate/source.ts';
import type { TestCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';

/** A program that deploys itself, as a user starts it. */
export interface Launcher {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Exit code, or -1 after a signal. */
  readonly ended: Promise<number>;
}

export const helloUniverse = join(root, 'examples/hello-universe/app.js');

export interface LaunchOptions {
  readonly kubeconfig?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts `node <program> <args>` against a cluster. */
export function launchProgram(
  cluster: Pick<TestCluster, 'env' | 'home'>,
  program: string,
  args: readonly string[],
  { kubeconfig, env = {} }: LaunchOptions = {},
): Launcher {
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...cluster.env, ...(kubeconfig === undefined ? {} : { KUBECONFIG: kubeconfig }), ...env },
    cwd: cluster.home,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? -1)));
  return { child, stdout: () => stdout, stderr: () => stderr, ended };
}

/** The address that was printed, once it was. */
export const urlOf = ({ stderr }: Launcher): Promise<string> =>
  eventually(() => {
    const url = /^(https?:\/\/localhost:\d+)$/m.exec(stderr())?.[1];
    if (url === undefined) throw new Error(`no URL so far:\n${stderr()}`);
    return url;
  }, 60_000);

/** Asks by a connection of its own. */
export const ask = (url: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const request = get(url, { agent: false, timeout: 15_000 }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.once('end', () => resolve(text)).once('error', reject);
    });
    request.once('timeout', () => request.destroy(new Error(`${url} does not answer`))).once('error', reject);
  });

/** Objects of every kind that the cluster serves and lets list, in a namespace, by kind and name: but for those that every namespace has. */
export async function objectsIn({ kubectl }: TestCluster, namespace: string): Promise<readonly string[]> {
  const resources = (await kubectl(['api-resources', '--namespaced', '--verbs=list', '-o', 'name']))
    .split('\n')
    .filter((name) => name !== '');
  const without = new Set(['events', 'events.events.k8s.io', 'pods.metrics.k8s.io']);
  const kinds = resources.filter((name) => !without.has(name)).join(',');
  const found = await kubectl(['get', kinds, '-n', namespace, '-o', 'name', '--ignore-not-found']);
  return found.split('\n').filter((name) => name !== '' && !/^(serviceaccount\/default|configmap\/kube-root-ca\.crt)$/.test(name));
}
