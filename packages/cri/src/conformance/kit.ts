import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import type {
  ContainerConfig,
  ContainerStatus,
  LinuxContainerSecurityContext,
  LinuxPodSandboxConfig,
  PodSandboxConfig,
} from '../generated/cri-v1.ts';
import type { Runtime } from '../runtime.ts';
import { isRuntimeError } from '../runtime-error.ts';
import type { RuntimeFactory, RuntimeHost } from './abilities.ts';
import { eventually, pause } from './eventually.ts';

export interface Sandbox {
  readonly podSandboxId: string;
  readonly config: PodSandboxConfig;
}
export interface StartedContainer {
  readonly containerId: string;
  readonly log: string;
}
export interface Executed {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** What tests of one driver work with. Each test has a directory of its own, and leaves nothing behind. */
export interface Kit {
  readonly runtime: Runtime;
  readonly host: RuntimeHost;
  readonly directory: string;
  /** The image in which /bin/sh and the usual commands work. */
  readonly image: string;
  /** The agent ends, and another begins `downMs` later. */
  reopen(downMs?: number): Promise<void>;
  imageNamed(name: string): string;
  sandboxConfig(extra?: Partial<PodSandboxConfig>): PodSandboxConfig;
  runSandbox(extra?: Partial<PodSandboxConfig>): Promise<Sandbox>;
  create(sandbox: Sandbox, command: readonly string[], extra?: Partial<ContainerConfig>): Promise<StartedContainer>;
  start(sandbox: Sandbox, command: readonly string[], extra?: Partial<ContainerConfig>): Promise<StartedContainer>;
  /** In a sandbox of its own. */
  run(command: readonly string[], extra?: Partial<ContainerConfig>, pod?: Partial<PodSandboxConfig>): Promise<StartedContainer>;
  statusOf(containerId: string): Promise<ContainerStatus>;
  exitOf(containerId: string): Promise<ContainerStatus>;
  /** Once the log holds `text`. */
  logged(log: string, text: string): Promise<void>;
  /** Runs a script to its end. @returns what it wrote, trimmed. */
  output(script: string, extra?: Partial<ContainerConfig>, pod?: Partial<PodSandboxConfig>): Promise<string>;
  exec(containerId: string, command: readonly string[], input?: string): Promise<Executed>;
  /** What a script writes in a running container, trimmed. */
  execText(containerId: string, script: string): Promise<string>;
  /** The code of the error that `pending` fails with. */
  codeOf(pending: Promise<unknown>): Promise<string>;
}

export const inPod = (linux: LinuxPodSandboxConfig): Partial<PodSandboxConfig> => ({ linux });
export const secured = (securityContext: LinuxContainerSecurityContext): Partial<ContainerConfig> => ({ linux: { securityContext } });

/** Log lines without their time: `stdout F text`. */
export const rawLogLines = async (path: string): Promise<readonly string[]> =>
  (await readFile(path, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => line.slice(line.indexOf(' ') + 1));

/** The same with the parts of a line joined; a last line that has no end counts as whole, whichever way the driver marks it. */
export async function logLines(path: string): Promise<readonly string[]> {
  const open = new Map<string, string>();
  const whole: string[] = [];
  for (const line of await rawLogLines(path)) {
    const [stream = '', tag = '', ...words] = line.split(' ');
    const text = (open.get(stream) ?? '') + words.join(' ');
    if (tag === 'P') open.set(stream, text);
    else whole.push(`${stream} F ${text}`);
    if (tag !== 'P') open.delete(stream);
  }
  return [...whole, ...[...open].map(([stream, text]) => `${stream} F ${text}`)];
}

export async function textOf(stream: PassThrough): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}

/** Sets up and tears down around each test of the surrounding `describe`. */
export function newKit(factory: RuntimeFactory): Kit {
  let host: RuntimeHost;
  let directory: string;
  let runtime: Runtime;
  let counter = 0;

  beforeAll(async () => {
    host = await factory.start();
  });
  afterAll(() => host.close());
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'orrery-cri-'));
    runtime = await host.open(join(directory, 'state'));
  });
  afterEach(async () => {
    const { items = [] } = await runtime.listPodSandbox({});
    for (const { id = '' } of items) await runtime.removePodSandbox({ podSandboxId: id });
    expect((await runtime.listContainers({})).containers ?? []).toEqual([]);
    await runtime.close();
    await rm(directory, { recursive: true, force: true });
  });

  const kit: Kit = {
    get runtime() {
      return runtime;
    },
    get host() {
      return host;
    },
    get directory() {
      return directory;
    },
    get image() {
      return kit.imageNamed('busybox:1');
    },
    imageNamed: (name) => `${host.registry.host}/orrery/${name}`,
    async reopen(downMs = 0) {
      await runtime.close();
      await pause(downMs);
      runtime = await host.open(join(directory, 'state'));
    },
    sandboxConfig(extra = {}) {
      counter += 1;
      const name = `pod-${counter}`;
      return {
        metadata: { name, uid: `uid-${process.pid}-${counter}`, namespace: 'default', attempt: 0 },
        hostname: name,
        logDirectory: join(directory, 'logs'),
        labels: { app: name },
        ...extra,
      };
    },
    async runSandbox(extra) {
      const config = kit.sandboxConfig(extra);
      const { podSandboxId = '' } = await runtime.runPodSandbox({ config });
      return { podSandboxId, config };
    },
    async create({ podSandboxId, config: sandboxConfig }, command, extra = {}) {
      const image = extra.image ?? { image: kit.image };
      await runtime.pullImage({ image });
      counter += 1;
      const name = `c-${counter}`;
      const config: ContainerConfig = { metadata: { name, attempt: 0 }, command, logPath: `${name}.log`, ...extra, image };
      const { containerId = '' } = await runtime.createContainer({ podSandboxId, config, sandboxConfig });
      return { containerId, log: join(directory, 'logs', `${name}.log`) };
    },
    async start(sandbox, command, extra) {
      const container = await kit.create(sandbox, command, extra);
      await runtime.startContainer({ containerId: container.containerId });
      return container;
    },
    run: async (command, extra, pod) => kit.start(await kit.runSandbox(pod), command, extra),
    ...observation(() => runtime),
    async output(script, extra, pod) {
      const { containerId, log } = await kit.run(['sh', '-c', script], extra, pod);
      await kit.exitOf(containerId);
      return (await logLines(log))
        .map((line) => line.split(' ').slice(2).join(' '))
        .join('\n')
        .trim();
    },
    execText: async (containerId, script) => {
      const { out, err } = await kit.exec(containerId, ['sh', '-c', script]);
      return `${out}${err}`.trim();
    },
  };
  return kit;
}

function observation(runtime: () => Runtime): Pick<Kit, 'statusOf' | 'exitOf' | 'logged' | 'exec' | 'codeOf'> {
  const statusOf = async (containerId: string): Promise<ContainerStatus> => (await runtime().containerStatus({ containerId })).status ?? {};
  return {
    statusOf,
    exitOf: (containerId) =>
      eventually(async () => {
        const status = await statusOf(containerId);
        return status.state === 'CONTAINER_EXITED' ? status : undefined;
      }, `container ${containerId} exited`),
    async logged(log, text) {
      await eventually(async () => ((await readFile(log, 'utf8').catch(() => '')).includes(text) ? true : undefined), `${text} in the log`);
    },
    async exec(containerId, command, input) {
      const [stdout, stderr] = [new PassThrough(), new PassThrough()];
      const stdin = input === undefined ? undefined : PassThrough.from([Buffer.from(input)]);
      const texts = [textOf(stdout), textOf(stderr)];
      const code = await runtime().exec({ containerId, command, tty: false }, { stdin, stdout, stderr }, new AbortController().signal);
      stdout.end();
      stderr.end();
      const [out = '', err = ''] = await Promise.all(texts);
      return { code, out, err };
    },
    async codeOf(pending) {
      const outcome = await pending.then(
        () => 'no error',
        (err: unknown) => err,
      );
      return isRuntimeError(outcome) ? outcome.code : String(outcome);
    },
  };
}
