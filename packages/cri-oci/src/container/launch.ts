import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { sealedStdio } from '@orrery/base';
import type { Host } from '../host/host.ts';
import { shellQuote } from '../host/process.ts';
import type { ContainerSnapshot } from '../images/snapshots.ts';
import { hideUnified } from './hide-unified.ts';

export interface RootMount {
  readonly mount: ContainerSnapshot['mount'];
  /** Where it is mounted, in the private mount namespace. Exists. */
  readonly target: string;
}

export interface LaunchInput {
  readonly id: string;
  readonly host: Host;
  /** The container's own folder: it holds `config.json`, and pids, exit code and sockets come there. */
  readonly directory: string;
  /** Where the runtime keeps its own state of all containers. */
  readonly stateDirectory: string;
  readonly exitsDirectory: string;
  readonly logPath: string;
  readonly mounts: readonly RootMount[];
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  readonly terminal: boolean;
}

export type LaunchOutcome = { readonly pid: number } | { readonly error: string };

/**
 * Starts a container under a monitor (conmon) that outlives this process: it writes the log, holds the terminal and writes down the exit code.
 *
 * The root file system is mounted in a mount namespace that ends with the container: no mount of a container is ever seen on the host, and
 * none is left behind whatever dies. The monitor is told to make the container; what it calls makes and starts it in one step.
 */
export function launch(input: LaunchInput): Promise<LaunchOutcome> {
  const { host } = input;
  const child = spawn(host.conmon, monitorArguments(input), {
    cwd: input.directory,
    env: { PATH: host.path, _OCI_SYNCPIPE: '3' },
    stdio: sealedStdio(['ignore', 'ignore', 'pipe', 'pipe']),
  });
  return new Promise((resolve) => {
    let answer = '';
    let complaint = '';
    child.stderr?.on('data', (chunk: Buffer) => (complaint = (complaint + String(chunk)).slice(-4096)));
    child.once('error', (cause) => resolve({ error: `cannot start ${host.conmon}: ${cause.message}` }));
    const sync = child.stdio[3] as Readable;
    sync.on('data', (chunk: Buffer) => {
      answer += String(chunk);
      const outcome = parseAnswer(answer);
      if (outcome === undefined) return;
      resolve(outcome);
      // Nobody waits for the rest, and it must not keep this process running.
      sync.destroy();
      child.stderr?.destroy();
    });
    sync.once('end', () => resolve({ error: complaint.trim() || 'the container monitor ended without an answer' }));
    sync.once('error', (cause) => resolve({ error: cause.message }));
  });
}

/** One line of JSON: `data` is a pid, or -1 with a message. */
function parseAnswer(text: string): LaunchOutcome | undefined {
  if (!text.includes('\n')) return undefined;
  try {
    const { data = -1, message = '' } = JSON.parse(text) as { readonly data?: number; readonly message?: string };
    return data > 0 ? { pid: data } : { error: message.trim() || 'the runtime failed without a word' };
  } catch {
    return { error: text.trim() };
  }
}

function monitorArguments(input: LaunchInput): readonly string[] {
  const { id, directory, host } = input;
  const runtimeArguments = ['--mount', '--propagation', 'unchanged', '--', '/bin/sh', '-c', runtimeScript(input), 'orrery'];
  return [
    ...['--api-version', '1', '-c', id, '-u', id, '-n', id],
    ...['-r', host.unshare, ...runtimeArguments.map((word) => `--runtime-arg=${word}`)],
    ...['-b', directory, '-p', `${directory}/pid`, '-P', `${directory}/monitor-pid`],
    ...['--exit-dir', input.exitsDirectory, '--persist-dir', directory, '--full-attach'],
    ...['-l', `k8s-file:${input.logPath}`],
    ...(input.stdin ? ['-i'] : []),
    ...(input.stdin && !input.stdinOnce ? ['--leave-stdin-open'] : []),
    ...(input.terminal ? ['-t'] : []),
  ];
}

// An ended pipe: crun gives the container's input to the container's user, and /dev/null is the host's in a user namespace.
const EMPTY_INPUT = ' <<END\nEND';

/** What stands for the runtime: called as `<script> create --bundle …`, it turns creation into a run. */
function runtimeScript({ host, mounts, stateDirectory, directory, stdin, terminal }: LaunchInput): string {
  const lines = ['set -e'];
  for (const { mount, target } of mounts) {
    lines.push(`cd ${shellQuote(mount.directory)}`);
    lines.push(`mount -t ${mount.type} -o ${shellQuote(mount.options)} ${shellQuote(mount.source)} ${shellQuote(target)}`);
  }
  lines.push(...hideUnified(host), `cd ${shellQuote(directory)}`, 'shift');
  lines.push(
    `exec ${runtimeCommand(host, stateDirectory).map(shellQuote).join(' ')} run --detach "$@"${stdin || terminal ? '' : EMPTY_INPUT}`,
  );
  return lines.join('\n');
}

/** The runtime with the options that every call has. */
export const runtimeCommand = ({ runtime, limits }: Host, stateDirectory: string): readonly string[] => [
  runtime.path,
  '--root',
  stateDirectory,
  ...(runtime.kind === 'crun' && !limits ? ['--cgroup-manager', 'disabled'] : []),
];
