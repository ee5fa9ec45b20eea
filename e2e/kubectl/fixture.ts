import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { realClients } from '../support/clients.ts';
import { type Finished, type RunOptions, run, startTestCluster, type TestCluster } from '../support/cluster.ts';
import { type Driver, type Prepared, processDriver } from './drivers.ts';

/** The real kubectl against one cluster, in one namespace. Arguments are words: `k('get pods -o wide')` or an array. */
export interface Kubectl {
  /** Standard output; throws when kubectl fails. */
  (args: string | readonly string[], options?: RunOptions): Promise<string>;
  /** The exit code and both outputs. */
  try(args: string | readonly string[], options?: RunOptions): Promise<Finished>;
  /** What a failing kubectl says on standard error; throws when it does not fail. */
  fails(args: string | readonly string[], options?: RunOptions): Promise<string>;
  /** Applies a manifest given as an object. */
  apply(object: object): Promise<string>;
  /** Creates a manifest given as an object. */
  create(object: object): Promise<string>;
  json<T = Json>(args: string | readonly string[]): Promise<T>;
  start(args: string | readonly string[], options?: StartOptions): Running;
}

export interface StartOptions {
  /** A terminal of this size, made by script(1). */
  readonly terminal?: { readonly rows: number; readonly columns: number };
}

/** Just enough of an object to look into it. */
export interface Json {
  readonly [key: string]: Json;
}

export interface Suite {
  readonly driver: Driver;
  readonly cluster: TestCluster;
  /** A folder for files of the suite. */
  readonly folder: string;
  /** kubectl in a namespace of its own. */
  namespace(name: string): Promise<Kubectl>;
  /** Writes a file of the suite, answers its path. */
  file(name: string, content: string | object): Promise<string>;
}

/** One cluster for all tests of a file. */
export function useSuite(driver: Driver = processDriver): () => Suite {
  let suite: Suite | undefined;
  let prepared: Prepared | undefined;
  const running: Running[] = [];
  beforeAll(async () => {
    prepared = await driver.prepare();
    const cluster = await startTestCluster(prepared.options);
    const folder = await mkdtemp(join(tmpdir(), 'orrery-kubectl-'));
    suite = {
      driver,
      cluster,
      folder,
      async namespace(name) {
        await cluster.kubectl(['create', 'namespace', name]);
        const kubectl = kubectlIn(cluster, name, running);
        await eventually(() => kubectl('get serviceaccount default'));
        return kubectl;
      },
      async file(name, content) {
        const path = join(folder, name);
        await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content, null, 2));
        return path;
      },
    };
  });
  afterAll(async () => {
    for (const each of running) await each.stop();
    await suite?.cluster.dispose();
    await prepared?.close();
    if (suite !== undefined) await rm(suite.folder, { recursive: true, force: true });
  });
  return () => {
    if (suite === undefined) throw new Error('the cluster is not up');
    return suite;
  };
}

const words = (args: string | readonly string[]): string[] => (typeof args === 'string' ? args.split(' ') : [...args]);

function kubectlIn(cluster: TestCluster, namespace: string, running: Running[]): Kubectl {
  const inside = (args: string | readonly string[]): string[] => ['--namespace', namespace, ...words(args)];
  const kubectl = (args: string | readonly string[], options?: RunOptions): Promise<string> => cluster.kubectl(inside(args), options);
  const attempt = (args: string | readonly string[], options?: RunOptions): Promise<Finished> => cluster.tryKubectl(inside(args), options);
  return Object.assign(kubectl, {
    try: attempt,
    async fails(args: string | readonly string[], options?: RunOptions) {
      const { code, stdout, stderr } = await attempt(args, options);
      if (code === 0) throw new Error(`kubectl ${args} did not fail:\n${stdout}${stderr}`);
      return stderr;
    },
    apply: (object: object) => kubectl('apply -f -', { input: JSON.stringify(object) }),
    create: (object: object) => kubectl('create -f -', { input: JSON.stringify(object) }),
    json: async <T = Json>(args: string | readonly string[]) => JSON.parse(await kubectl([...words(args), '-o', 'json'])) as T,
    start(args: string | readonly string[], { terminal }: StartOptions = {}) {
      const child = terminal === undefined ? cluster.startKubectl(inside(args)) : onTerminal(cluster, inside(args), terminal);
      const started = new Running(child);
      running.push(started);
      return started;
    },
  });
}

function onTerminal(cluster: TestCluster, args: readonly string[], { rows, columns }: { rows: number; columns: number }): ChildProcess {
  const line = [realClients().kubectl, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  return spawn('script', ['-qfec', `stty rows ${rows} cols ${columns}; exec ${line}`, '/dev/null'], {
    env: { ...cluster.env, TERM: 'xterm', SHELL: '/bin/sh' },
    cwd: cluster.home,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

/** A kubectl that runs on. */
export class Running {
  /** Everything it wrote so far, both outputs. */
  output = '';
  readonly #child: ChildProcess;
  readonly #ended: Promise<number>;
  readonly #listeners = new Set<() => void>();

  constructor(child: ChildProcess) {
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        this.output += chunk.toString();
        for (const each of this.#listeners) each();
      });
    child.stdin?.on('error', () => undefined);
    this.#ended = new Promise((resolve) => child.once('close', (code) => resolve(code ?? -1)));
  }

  /** Waits until the output matches; throws with the output after `timeoutMs`. */
  async shows(pattern: string | RegExp, timeoutMs = 20_000): Promise<string> {
    const matches = (): boolean => (typeof pattern === 'string' ? this.output.includes(pattern) : pattern.test(this.output));
    await new Promise<void>((resolve, reject) => {
      const check = (): void => {
        if (!matches()) return;
        finish();
        resolve();
      };
      const timer = setTimeout(() => {
        finish();
        reject(new Error(`${pattern} did not show in ${timeoutMs} ms:\n${this.output}`));
      }, timeoutMs);
      const finish = (): void => {
        clearTimeout(timer);
        this.#listeners.delete(check);
      };
      this.#listeners.add(check);
      check();
    });
    return this.output;
  }

  type(text: string): void {
    this.#child.stdin?.write(text);
  }

  endInput(): void {
    this.#child.stdin?.end();
  }

  /** Resizes the terminal it runs on, as a user does by the window's corner. */
  async resize(rows: number, columns: number): Promise<void> {
    const { pid } = this.#child;
    const [inside] = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ');
    const { code, stderr } = await host('stty', '-F', `/proc/${inside}/fd/0`, 'rows', String(rows), 'cols', String(columns));
    if (code !== 0) throw new Error(`stty: ${stderr}`);
  }

  /** Its exit code. */
  ended(): Promise<number> {
    return this.#ended;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends it, when it still runs. */
  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill('SIGTERM');
    await this.#ended;
  }
}

/** Repeats until it does not throw; throws the last error after `timeoutMs`. */
export async function eventually<T>(attempt: () => Promise<T>, timeoutMs = 20_000): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await attempt();
    } catch (err) {
      if (Date.now() > end) throw err;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** Runs a program that is no client. */
export const host = (file: string, ...args: string[]): Promise<Finished> => run(file, args, { env: { PATH: process.env['PATH'] ?? '' } });

/** Lines without their trailing spaces. */
export const lines = (text: string): string[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd());

/** The cells of a table that kubectl printed, header first. */
export const cells = (table: string): string[][] => lines(table).map((line) => line.split(/ {2,}/));
