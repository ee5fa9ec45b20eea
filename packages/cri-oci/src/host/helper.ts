import { type ChildProcess, spawn } from 'node:child_process';
import { type Deferred, deferred, sealedStdio } from '@orrery/base';
import { RuntimeError } from '@orrery/cri';

export interface HelperResult {
  /** Of the last command. */
  readonly code: number;
  /** What was said on both outputs, without ends of lines at its end; no more than {@link TEXT_BYTES_MAX}. */
  readonly text: string;
}

/**
 * Runs short pieces of shell in one small shell that is kept, each beside the others and without input: a child of this process, which is
 * large, costs many times as much. A shell that ends is replaced.
 */
export interface Helper {
  /**
   * @param script - Complete shell commands, every word of strangers quoted (`shellQuote`).
   * @throws {RuntimeError} `UNAVAILABLE` when the shell ended before the script did; then what the script was doing was killed.
   */
  run(script: string): Promise<HelperResult>;
  /** Ends the shell when nothing is under way. */
  close(): void;
}

// With what stands before it one write of less than PIPE_BUF, which is never mixed with others.
const TEXT_BYTES_MAX = 3900;

const endedError = (reason: string): RuntimeError => new RuntimeError('UNAVAILABLE', `the helper shell ended: ${reason}`);

class KeptShell {
  private readonly child: ChildProcess;
  private readonly pending = new Map<string, Deferred<HelperResult>>();
  private readonly onIdle: () => void;
  private rest = Buffer.alloc(0);
  private count = 0;

  constructor(path: string, onIdle: () => void) {
    this.onIdle = onIdle;
    // A process group of its own: Ctrl+C at the terminal is not meant for it, and what is left in it can be killed.
    this.child = spawn('/bin/sh', [], { stdio: sealedStdio(['pipe', 'pipe', 'ignore']), cwd: '/', env: { PATH: path }, detached: true });
    this.child.stdout?.on('data', (chunk: Buffer) => this.read(chunk));
    this.child.stdin?.on('error', () => undefined); // 'exit' or 'error' tells it.
    this.child.on('error', (cause) => this.fail(cause.message));
    this.child.on('exit', (code, signal) => this.fail(signal ?? `code ${code}`));
    this.hold(false);
  }

  get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null && this.child.pid !== undefined;
  }

  get idle(): boolean {
    return this.pending.size === 0;
  }

  run(script: string): Promise<HelperResult> {
    this.count += 1;
    const id = String(this.count);
    const done = deferred<HelperResult>();
    this.pending.set(id, done);
    this.hold(true);
    const told = `printf '%s %d %.${TEXT_BYTES_MAX}s\\0' ${id} $? "$o"`;
    this.child.stdin?.write(`( o=$( {\n${script}\n} 2>&1 </dev/null ); ${told} ) &\np${id}=$!\n`);
    return done.promise;
  }

  end(): void {
    this.child.stdin?.end();
  }

  private read(chunk: Buffer): void {
    this.rest = Buffer.concat([this.rest, chunk]);
    for (let end = this.rest.indexOf(0); end >= 0; end = this.rest.indexOf(0)) {
      const [, id = '', code, text = ''] = /^(\d+) (\d+) (.*)$/s.exec(this.rest.toString('utf8', 0, end)) ?? [];
      this.rest = this.rest.subarray(end + 1);
      this.child.stdin?.write(`wait $p${id}\nunset p${id}\n`); // Else the shell would keep a record of each.
      this.pending.get(id)?.resolve({ code: Number(code), text });
      this.pending.delete(id);
    }
    if (!this.idle) return;
    this.hold(false);
    this.onIdle();
  }

  private fail(reason: string): void {
    const { pid } = this.child;
    const lost = [...this.pending.values()];
    this.pending.clear();
    this.hold(false);
    try {
      if (pid !== undefined && lost.length > 0) process.kill(-pid, 'SIGKILL'); // Nobody waits for what it left under way.
    } catch {
      // Nothing was left.
    }
    for (const { reject } of lost) reject(endedError(reason));
  }

  /** An idle shell does not keep this process running. */
  private hold(busy: boolean): void {
    for (const handle of [this.child, this.child.stdin, this.child.stdout] as unknown as (Holdable | null)[]) {
      if (busy) handle?.ref?.();
      else handle?.unref?.();
    }
  }
}

interface Holdable {
  ref?(): void;
  unref?(): void;
}

/** @param path - The PATH of what is run. */
export function newHelper(path: string): Helper {
  let kept: KeptShell | undefined;
  let closed = false;
  const endWhenIdle = (): void => {
    if (!closed || kept === undefined || !kept.idle) return;
    kept.end();
    kept = undefined;
  };
  return {
    async run(script) {
      if (script.includes('\0')) throw new RuntimeError('INVALID_ARGUMENT', 'no name, path or option may hold a NUL byte');
      if (kept === undefined || !kept.alive) kept = new KeptShell(path, endWhenIdle);
      return kept.run(script);
    },
    close() {
      closed = true;
      endWhenIdle();
    },
  };
}
