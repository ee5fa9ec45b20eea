import { type ChildProcess, spawn } from 'node:child_process';
import { type Clock, type Deferred, deferred, newMutex, sealedStdio, type Timer } from '@orrery/base';
import { PodNetworkError } from '../pod-network-error.ts';

export interface ShellResult {
  /** Of the last command of the script. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ShellOptions {
  readonly clock: Clock;
  /** A network namespace to work in: a path that `nsenter --net=` takes. Absent: the one of this process. */
  readonly hostNetns?: string | undefined;
  /** A script that takes longer is ended and fails. @default 30_000 */
  readonly timeoutMs?: number;
}

/**
 * Runs short scripts in one shell that is kept: a child process of a small shell costs a fifth of one of this process.
 * Scripts run one after the other. They must be complete (a syntax error ends the shell) and hold no text of strangers unchecked.
 */
export interface Shell {
  /** @throws PodNetworkError `CommandFailed` when the shell ended or took too long; never for a code other than 0. */
  run(script: string): Promise<ShellResult>;
  /** As `run`. @throws PodNetworkError `CommandFailed` also for a code other than 0, with what was said on stderr. */
  check(script: string): Promise<string>;
  /** Ends the shell, also what it is doing. Later calls fail. */
  close(): void;
}

const OUTPUT_BYTES_MAX = 8 << 20; // A listing of 65,536 addresses stays below.
const END = '--orrery-end--';

interface Pending {
  readonly done: Deferred<ShellResult>;
  stdout: string;
  stderr: string;
}

const endMarker = new RegExp(`\\n${END} (\\d+)\\n$`);

class KeptShell {
  readonly child: ChildProcess;
  private pending: Pending | undefined;

  constructor(hostNetns: string | undefined) {
    const argv = hostNetns === undefined ? ['sh'] : ['nsenter', `--net=${hostNetns}`, 'sh'];
    const [program = 'sh', ...rest] = argv;
    this.child = spawn(program, rest, { stdio: sealedStdio(['pipe', 'pipe', 'pipe']), cwd: '/' });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => this.collect('stdout', text));
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => this.collect('stderr', text));
    this.child.stdin?.on('error', () => undefined); // 'exit' or 'error' tells it.
    this.child.on('error', (error) => this.fail(`cannot start ${program}: ${error.message}`));
    this.child.on('exit', (code, signal) => this.fail(`the shell ended (${signal ?? code})`));
    this.hold(false);
  }

  get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null && this.child.pid !== undefined;
  }

  run(script: string): Promise<ShellResult> {
    this.pending = { done: deferred(), stdout: '', stderr: '' };
    this.hold(true);
    // The commands must not read the scripts that follow on our stdin.
    this.child.stdin?.write(`{ :\n${script}\n} </dev/null\nc=$?; printf '\\n${END} %d\\n' $c; printf '\\n${END} %d\\n' $c >&2\n`);
    return this.pending.done.promise;
  }

  fail(reason: string): void {
    const { pending } = this;
    this.pending = undefined;
    this.hold(false);
    pending?.done.reject(new PodNetworkError('CommandFailed', reason));
    this.child.kill('SIGKILL');
  }

  private collect(stream: 'stdout' | 'stderr', text: string): void {
    const { pending } = this;
    if (pending === undefined) return;
    pending[stream] += text;
    if (pending[stream].length > OUTPUT_BYTES_MAX) {
      this.fail('a command said too much');
      return;
    }
    const out = endMarker.exec(pending.stdout);
    const err = endMarker.exec(pending.stderr);
    if (out === null || err === null) return;
    this.pending = undefined;
    this.hold(false);
    pending.done.resolve({
      code: Number(out[1]),
      stdout: pending.stdout.slice(0, out.index),
      stderr: pending.stderr.slice(0, err.index),
    });
  }

  /** An idle shell does not keep this process running. */
  private hold(busy: boolean): void {
    for (const handle of [this.child, this.child.stdin, this.child.stdout, this.child.stderr] as unknown as (Holdable | null)[]) {
      if (busy) handle?.ref?.();
      else handle?.unref?.();
    }
  }
}

interface Holdable {
  ref?(): void;
  unref?(): void;
}

export function newShell({ clock, hostNetns, timeoutMs = 30_000 }: ShellOptions): Shell {
  const mutex = newMutex();
  let kept: KeptShell | undefined;
  let closed = false;

  const runNow = async (script: string): Promise<ShellResult> => {
    if (closed) throw new PodNetworkError('CommandFailed', 'the pod network is closed');
    if (kept === undefined || !kept.alive) kept = new KeptShell(hostNetns);
    const shell = kept;
    const timer: Timer = clock.after(timeoutMs, () => shell.fail(`a command took more than ${timeoutMs} ms`));
    try {
      return await shell.run(script);
    } finally {
      timer.cancel();
    }
  };
  const run = (script: string): Promise<ShellResult> => mutex.run(() => runNow(script));

  return {
    run,
    async check(script) {
      const { code, stdout, stderr } = await run(script);
      if (code !== 0) throw new PodNetworkError('CommandFailed', oneLine(stderr) || `a command ended with code ${code}`);
      return stdout;
    },
    close() {
      closed = true;
      kept?.fail('the pod network is closed');
    },
  };
}

const oneLine = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('Command failed'))
    .join('; ')
    .slice(0, 500);

/** `text` as the standard input of `command`. */
export const withInput = (command: string, text: string): string => `${command} <<'ORRERY_EOF'\n${text}\nORRERY_EOF`;
