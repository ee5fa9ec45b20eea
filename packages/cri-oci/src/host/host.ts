import { readFile } from 'node:fs/promises';
import type { Clock } from '@orrery/base';
import { RuntimeError } from '@orrery/cri';
import { capabilitiesInMask } from '../spec/capabilities.ts';
import { type Cgroups, openCgroups } from './cgroups.ts';
import { type FoundProgram, findOciRuntime, findProgram, searchPath } from './find-oci-runtime.ts';
import { run } from './process.ts';

/** What this machine lets the driver do. Found once, at start. */
export interface Host {
  readonly runtime: FoundProgram;
  readonly conmon: string;
  /** util-linux `unshare`; the monitor wants a whole path. */
  readonly unshare: string;
  /** A program that does nothing but reap, as the first process of pods that share theirs; absent: such pods are refused. */
  readonly pause: readonly [string, ...string[]] | undefined;
  /** Joins a SEQPACKET socket to stdin; absent: attaching with input is refused. */
  readonly socat: string | undefined;
  readonly script: boolean;
  readonly cgroups: Cgroups;
  /** Control groups can be made, so that limits hold. */
  readonly limits: boolean;
  readonly capabilities: ReadonlySet<string>;
  readonly oomScoreAdj: number;
  readonly bootId: string;
  readonly apparmor: boolean;
  /** The PATH that programs of the driver are run with. */
  readonly path: string;
  /** For people: what is missing and what to do about it. Empty when nothing is. */
  readonly notes: readonly string[];
}

const text = (path: string): Promise<string> =>
  readFile(path, 'utf8').then(
    (found) => found.trim(),
    () => '',
  );

/** @throws {RuntimeError} `FAILED_PRECONDITION` when something is missing without which no container can run. */
export async function probeHost(clock: Clock, path: string | undefined, wanted: string | undefined): Promise<Host> {
  const search = searchPath(path);
  const [programs, cgroups, catatonit, busybox, socat, script, unshare] = await Promise.all([
    findOciRuntime(path, wanted),
    openCgroups(clock),
    findProgram('catatonit', search),
    findProgram('busybox', search),
    findProgram('socat', search),
    findProgram('script', search),
    findProgram('unshare', search),
  ]);
  const [runtime] = programs.runtimes;
  if (runtime === undefined || programs.conmon === undefined || unshare === undefined || programs.problems.length > 0)
    throw new RuntimeError('FAILED_PRECONDITION', `containers cannot run here: ${programs.problems.join('; ')}`);
  const status = await text('/proc/self/status');
  const pause = catatonit !== undefined ? ([catatonit, '-P'] as const) : (await isStatic(busybox)) ? busyboxPause(busybox) : undefined;
  const limits = await maySetLimits(cgroups);
  const notes: string[] = [];
  if (!limits) notes.push('cpu and memory limits are not enforced: control groups cannot be written here');
  if (pause === undefined) notes.push('pods with shareProcessNamespace are refused: install catatonit');
  if (socat === undefined) notes.push('attaching with input is refused: install socat');
  if (script === undefined) notes.push('exec with a terminal is refused: install util-linux (script)');
  return {
    runtime,
    conmon: programs.conmon,
    unshare,
    pause,
    socat,
    script: script !== undefined,
    cgroups,
    limits,
    capabilities: capabilitiesInMask(/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'),
    oomScoreAdj: Number(await text('/proc/self/oom_score_adj')),
    bootId: await text('/proc/sys/kernel/random/boot_id'),
    apparmor: (await text('/sys/module/apparmor/parameters/enabled')) === 'Y',
    path: search,
    notes,
  };
}

const busyboxPause = (busybox = ''): readonly [string, ...string[]] => [
  busybox,
  'sh',
  '-c',
  'trap "exit 0" TERM INT; while :; do sleep 2147483647 & wait; done',
];

/** Only a static program runs in a root file system that holds nothing else. */
async function isStatic(program: string | undefined): Promise<boolean> {
  if (program === undefined) return false;
  const { stdout, stderr } = await run('ldd', [program]);
  return /not a dynamic|statically linked/.test(stdout + stderr);
}

async function maySetLimits(cgroups: Cgroups): Promise<boolean> {
  const { constants, access } = await import('node:fs/promises');
  return access(cgroups.file('/', 'memory', ''), constants.W_OK).then(
    () => true,
    () => false,
  );
}
