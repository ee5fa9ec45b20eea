import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRuntimeError } from '@orrery/cri';
import type { Helper } from '../host/helper.ts';
import type { Host } from '../host/host.ts';
import { shellQuote } from '../host/process.ts';
import type { ContainerSnapshot } from '../images/snapshots.ts';
import { type FstabEntry, fstab } from './fstab.ts';
import { hiddenUnified } from './hide-unified.ts';

export interface RootMount {
  readonly mount: ContainerSnapshot['mount'];
  /** Where it is mounted, in the private mount namespace. Exists. */
  readonly target: string;
}

export interface LaunchInput {
  readonly id: string;
  readonly host: Host;
  readonly helper: Helper;
  /** The container's own folder: it holds `config.json`, and pids, exit code and sockets come there. */
  readonly directory: string;
  /** Where the runtime keeps its own state of all containers. */
  readonly stateDirectory: string;
  /** Where the runtime's program is mounted read-only, in the private mount namespace. Absent: it is run from where it lies. */
  readonly sealedRuntime: string | undefined;
  readonly exitsDirectory: string;
  readonly logPath: string;
  readonly mounts: readonly RootMount[];
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  readonly terminal: boolean;
}

/** Lost: it was begun, and nobody can say what became of it. */
export type LaunchOutcome = { readonly pid: number } | { readonly error: string } | { readonly lost: string };

/**
 * Starts a container under a monitor (conmon) that outlives this process: it writes the log, holds the terminal and writes down the exit code.
 *
 * The root file system is mounted in a mount namespace that ends with the container: no mount of a container is ever seen on the host, and
 * none is left behind whatever dies. The monitor is told to make the container; what it calls makes and starts it in one step.
 */
export async function launch(input: LaunchInput): Promise<LaunchOutcome> {
  const { host, helper, directory } = input;
  await Promise.all(mountTables(input).map(({ file, entries }) => writeFile(file, fstab(entries), { mode: 0o600 })));
  const monitor = [host.conmon, ...monitorArguments(input)].map(shellQuote).join(' ');
  // The monitor answers on a descriptor that it keeps: nobody waits for the end of that.
  const answer = `while read -r l; do printf '%s\\n' "$l"; case $l in '{'*) break;; esac; done`;
  try {
    const { text } = await helper.run(`cd ${shellQuote(directory)} || exit\n_OCI_SYNCPIPE=3 ${monitor} 3>&1 2>&1 >/dev/null | ${answer}`);
    return parseAnswer(text);
  } catch (err) {
    if (!isRuntimeError(err) || err.code !== 'UNAVAILABLE') throw err;
    return { lost: err.message };
  }
}

/** One line of JSON, perhaps after complaints: `data` is a pid, or -1 with a message. */
function parseAnswer(text: string): LaunchOutcome {
  const at = text.startsWith('{') ? 0 : text.indexOf('\n{') + 1;
  if (!text.startsWith('{', at)) return { error: text.trim() || 'the container monitor ended without an answer' };
  try {
    const { data = -1, message = '' } = JSON.parse(text.slice(at)) as { readonly data?: number; readonly message?: string };
    return data > 0 ? { pid: data } : { error: message.trim() || 'the runtime failed without a word' };
  } catch {
    return { error: text.slice(at).trim() };
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

interface MountTable {
  /** Where relative paths of the options start. */
  readonly from: string;
  readonly file: string;
  readonly entries: readonly FstabEntry[];
}

/** All mounts of a container, for as few calls of `mount` as possible: each costs as much as a tenth of a start. */
function mountTables({ host, mounts, directory, sealedRuntime }: LaunchInput): readonly MountTable[] {
  const folders = [...new Set([directory, ...mounts.map(({ mount }) => mount.directory)])].reverse(); // The layers' own first.
  const tables = folders.map((from, index) => ({
    from,
    file: join(directory, `fstab-${index}`),
    entries: [
      ...mounts
        .filter(({ mount }) => mount.directory === from)
        .map(({ mount: { type, source, options }, target }) => ({ source, target, type: type === 'bind' ? 'none' : type, options })),
      ...(index > 0 ? [] : hiddenUnified(host)),
      ...(index > 0 || sealedRuntime === undefined ? [] : sealing(host.runtime.path, sealedRuntime)),
    ],
  }));
  return tables.filter(({ entries }) => entries.length > 0);
}

const sealing = (path: string, target: string): readonly FstabEntry[] => [{ source: path, target, type: 'none', options: 'bind,ro' }];

// An ended pipe: crun gives the container's input to the container's user, and /dev/null is the host's in a user namespace.
const EMPTY_INPUT = ' <<END\nEND';

// Set, and on a read-only mount, a runtime knows that containers cannot write to it, and does not begin with a copy of itself.
const SEALED = '_LIBCONTAINER_CLONED_BINARY=1';

/** What stands for the runtime: called as `<script> create --bundle …`, it turns creation into a run. */
function runtimeScript(input: LaunchInput): string {
  const { host, stateDirectory, sealedRuntime, directory, stdin, terminal } = input;
  const lines = mountTables(input).map(({ from, file }) => `cd ${shellQuote(from)} && mount --all --fstab ${shellQuote(file)} || exit`);
  const [program = '', ...options] = runtimeCommand(host, stateDirectory);
  const words = sealedRuntime === undefined ? [program, ...options] : [sealedRuntime, ...options];
  lines.push(`cd ${shellQuote(directory)} || exit`, 'shift');
  if (sealedRuntime !== undefined) lines.push(`export ${SEALED}`);
  lines.push(`exec ${words.map(shellQuote).join(' ')} run --detach "$@"${stdin || terminal ? '' : EMPTY_INPUT}`);
  return lines.join('\n');
}

/** The runtime with the options that every call has. */
export const runtimeCommand = ({ runtime, limits }: Host, stateDirectory: string): readonly string[] => [
  runtime.path,
  '--root',
  stateDirectory,
  ...(runtime.kind === 'crun' && !limits ? ['--cgroup-manager', 'disabled'] : []),
];
