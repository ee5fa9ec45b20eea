import { type ChildProcess, spawn } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { orreryProgram, type TestCluster } from '../support/cluster.ts';

const POLL_MS = 5;
const START_TIMEOUT_MS = 20_000;

/** `orrery up` in the foreground as a child of the test, so that it can be killed and its end be seen. */
export class Server {
  readonly #child: ChildProcess;
  readonly #instance: string;
  readonly #log: string;
  readonly #ended: Promise<string>;

  constructor(cluster: TestCluster) {
    const folder = join(cluster.home, 'data/orrery/default');
    this.#instance = join(folder, 'instance.json');
    this.#log = join(cluster.home, 'server.log');
    const log = openSync(this.#log, 'w');
    this.#child = spawn(process.execPath, [orreryProgram, 'up', '--runtime=process'], {
      env: cluster.env,
      cwd: '/',
      stdio: ['ignore', log, log],
    });
    this.#ended = new Promise((resolve) => this.#child.once('exit', (code, signal) => resolve(`${signal ?? code}`)));
  }

  /** Resolves when it serves, by its instance file. */
  async ready(): Promise<void> {
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (!this.#serves()) {
      if (this.#child.exitCode !== null)
        throw new Error(`orrery up ended with ${this.#child.exitCode}:\n${readFileSync(this.#log, 'utf8')}`);
      if (Date.now() > deadline) throw new Error(`orrery up was not ready in ${START_TIMEOUT_MS} ms:\n${readFileSync(this.#log, 'utf8')}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** `kill -9`; resolves when it is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    const end = await this.#ended;
    if (end !== 'SIGKILL') throw new Error(`orrery up had ended by itself (${end}):\n${readFileSync(this.#log, 'utf8')}`);
  }

  #serves(): boolean {
    try {
      const { pid, phase } = JSON.parse(readFileSync(this.#instance, 'utf8')) as { readonly pid: number; readonly phase?: string };
      return pid === this.#child.pid && phase === undefined;
    } catch {
      return false;
    }
  }
}
