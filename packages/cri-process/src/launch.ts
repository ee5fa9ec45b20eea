import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdir, open, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sealedStdio } from '@orrery/base';
import { type Mount, RuntimeError } from '@orrery/cri';
import type { Program } from './command.ts';
import { findProgram, type HostAbilities, hostMounts, rootKinds, unshareArguments } from './host.ts';
import { realPlace } from './real-place.ts';
import type { RecordedConfig } from './records.ts';
import { ENTER_ISOLATED, ENTER_PLAIN, SUPERVISE, SUPERVISE_TTY, SUPERVISOR, TTY_COMMAND } from './scripts.ts';

export interface LaunchInput {
  /** The container's own folder: its raw output, pid and exit code go there. */
  readonly directory: string;
  readonly config: RecordedConfig;
  readonly program: Program;
  readonly privileges: readonly string[];
  readonly host: HostAbilities;
}

/**
 * Starts a container's supervisor in a session of its own and returns it. The command itself is started when `pid` stands in
 * the folder, or could not be when `exit` does.
 *
 * @throws {RuntimeError} `INVALID_ARGUMENT` when the program or a mount does not exist, `UNIMPLEMENTED` when a mount cannot be made.
 */
export async function launch(input: LaunchInput): Promise<ChildProcess> {
  const { directory, config, program, host } = input;
  const mounts = await readMounts(config.mounts ?? []);
  const enter = host.isolation === 'none' ? await enterPlain(input, mounts) : await enterIsolated(input, mounts, host.isolation);
  await checkProgram(program, mounts);
  if (config.stdin === true || config.tty === true) await makeStdin(directory, config);
  const output = await Promise.all(['stdout', 'stderr'].map((name) => open(join(directory, `${name}.raw`), 'a', 0o600)));
  try {
    const [stdout, stderr] = output.map(({ fd }) => fd);
    const argv =
      config.tty === true ? await terminalArguments(directory, enter) : ['/bin/sh', '-c', SUPERVISE, SUPERVISOR, directory, ...enter];
    const env =
      config.tty === true
        ? { ...program.env, ORRERY_ARGV: join(directory, 'argv'), SHELL: '/bin/sh', TERM: program.env['TERM'] ?? 'xterm' }
        : program.env;
    // A terminal's own input never ends: attached clients come and go.
    const stdin = config.tty === true ? await open(join(directory, 'stdin'), 'r+') : undefined;
    try {
      const [file = '/bin/sh', ...rest] = argv;
      const child = spawn(file, rest, {
        detached: true,
        cwd: '/',
        env,
        stdio: sealedStdio([stdin?.fd ?? 'ignore', stdout ?? 'ignore', stderr ?? 'ignore']),
      });
      child.on('error', () => undefined); // Told by the missing pid file: /bin/sh itself does not start.
      child.unref();
      return child;
    } finally {
      await stdin?.close();
    }
  } finally {
    await Promise.all(output.map((file) => file.close()));
  }
}

interface CheckedMount {
  readonly source: string;
  readonly target: string;
  readonly type: 'dir' | 'file';
  readonly mode: 'ro' | 'rw';
}

async function readMounts(mounts: readonly Mount[]): Promise<readonly CheckedMount[]> {
  return Promise.all(
    mounts.map(async ({ hostPath = '', containerPath = '', readonly }) => {
      const found = await stat(hostPath).catch((cause: unknown) => {
        throw new RuntimeError('INVALID_ARGUMENT', `mount ${containerPath}: ${hostPath} does not exist`, { cause });
      });
      return {
        source: hostPath,
        target: containerPath,
        type: found.isDirectory() ? 'dir' : 'file',
        mode: readonly === true ? 'ro' : 'rw',
      } as const;
    }),
  );
}

/** Without a file system of its own a container sees the host's: a mount is fine only where source and target are one place. */
async function enterPlain({ directory, program, privileges }: LaunchInput, mounts: readonly CheckedMount[]): Promise<readonly string[]> {
  for (const { source, target } of mounts) {
    if (source === target || isManaged(target)) continue;
    throw new RuntimeError(
      'UNIMPLEMENTED',
      `the process driver cannot mount a volume at ${target} here: run Orrery as root, allow user namespaces, or install crun or runc`,
    );
  }
  return ['/bin/sh', '-c', ENTER_PLAIN, 'orrery-pod', directory, program.cwd, ...privileges, ...program.argv];
}

/** What every container gets without being asked, and does no harm when it is missing: the host's own files, and most ask the API nothing. */
const managed: readonly string[] = [
  '/etc/hosts',
  '/etc/resolv.conf',
  '/etc/hostname',
  '/dev/termination-log',
  '/var/run/secrets/kubernetes.io/serviceaccount',
];
const isManaged = (target: string): boolean => managed.includes(target);

async function enterIsolated(
  { directory, config, program, privileges }: LaunchInput,
  mounts: readonly CheckedMount[],
  kind: 'root' | 'userns',
): Promise<readonly string[]> {
  await mkdir(join(directory, 'rootfs'), { recursive: true });
  // A skeleton brings the host's mounts with the folders they lie in.
  const binds = kind === 'userns' ? [] : (await hostMounts()).flatMap((point) => ['bind', point]);
  // Parents first, so that a volume inside a volume is seen.
  const placed = await Promise.all(mounts.map(async (mount) => ({ ...mount, target: await realPlace(mount.target) })));
  const sorted = placed.sort((a, b) => a.target.split('/').length - b.target.split('/').length);
  const steps = sorted.flatMap(({ type, source, target, mode }) => [type, source, target, mode]);
  const readonlyRoot = config.linux?.securityContext?.readonlyRootfs === true ? ['readonly'] : [];
  const script = ['/bin/sh', '-c', ENTER_ISOLATED, 'orrery-pod', directory, program.cwd, rootKinds[kind]];
  return [
    'unshare',
    ...unshareArguments[kind],
    '--',
    ...script,
    ...binds,
    ...steps,
    'cwd',
    await realPlace(program.cwd),
    ...readonlyRoot,
    '--',
    ...privileges,
    ...program.argv,
  ];
}

async function checkProgram({ argv: [name = ''], env, cwd }: Program, mounts: readonly CheckedMount[]): Promise<void> {
  const underMount = mounts.some(({ target }) => name.startsWith(`${target}/`) || (!name.startsWith('/') && cwd.startsWith(target)));
  if (underMount || (await findProgram(name, env['PATH'] ?? '', cwd)) !== undefined) return;
  const reason = name.includes('/') ? 'no such file or directory' : 'executable file not found in $PATH';
  throw new RuntimeError('INVALID_ARGUMENT', `exec: ${JSON.stringify(name)}: ${reason}`);
}

async function makeStdin(directory: string, config: RecordedConfig): Promise<void> {
  const made = spawn('mkfifo', ['-m', '600', join(directory, 'stdin')], { stdio: 'ignore' });
  const code = await new Promise<number | null>((resolve) => made.once('error', () => resolve(null)).once('exit', resolve));
  if (code !== 0) throw new RuntimeError('INTERNAL', `cannot make ${join(directory, 'stdin')}`);
  if (config.stdinOnce === true && config.tty !== true) await writeFile(join(directory, 'stdin-once'), '');
}

/** The command goes into a file, because `script` takes a shell's text and no list of arguments. */
export async function terminalArguments(directory: string, enter: readonly string[]): Promise<readonly string[]> {
  const argv = ['/bin/sh', '-c', SUPERVISE_TTY, SUPERVISOR, directory, ...enter];
  await writeFile(join(directory, 'argv'), argv.map((word) => `${word}\0`).join(''), { mode: 0o600 });
  await chmod(directory, 0o700);
  return ['script', '-q', '-e', '-f', '-c', TTY_COMMAND, '/dev/null'];
}
