import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ContainerConfig, PodSandboxConfig } from '../generated/cri-v1.ts';
import type { Runtime } from '../runtime.ts';
import { isRuntimeError } from '../runtime-error.ts';

/** One driver under test. */
export interface RuntimeFactory {
  /** Opens the driver on `directory`; opening it again on the same one takes up what runs. */
  open(directory: string): Promise<Runtime>;
  /** An image in which /bin/sh, cat, sleep, echo and env work. */
  readonly image: string;
}

const POLL_MS = 10;

async function eventually<T>(read: () => Promise<T | undefined>, what: string, timeoutMs = 15_000): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await read();
    if (value !== undefined) return value;
    if (Date.now() > deadline) throw new Error(`not in ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** The suite every driver passes, in the spirit of upstream's critest. */
export function describeRuntimeConformance(name: string, factory: RuntimeFactory): void {
  describe(`runtime conformance: ${name}`, () => {
    let directory: string;
    let runtime: Runtime;
    let counter = 0;

    beforeEach(async () => {
      directory = await mkdtemp(join(tmpdir(), 'orrery-cri-'));
      runtime = await factory.open(join(directory, 'state'));
    });
    afterEach(async () => {
      const { items = [] } = await runtime.listPodSandbox({});
      for (const { id = '' } of items) await runtime.removePodSandbox({ podSandboxId: id });
      expect((await runtime.listContainers({})).containers).toEqual([]);
      await runtime.close();
      await rm(directory, { recursive: true, force: true });
    });

    const sandboxConfig = (extra: Partial<PodSandboxConfig> = {}): PodSandboxConfig => {
      counter += 1;
      return {
        metadata: { name: `pod-${counter}`, uid: `uid-${counter}`, namespace: 'default', attempt: 0 },
        hostname: `pod-${counter}`,
        logDirectory: join(directory, 'logs'),
        labels: { app: `pod-${counter}` },
        ...extra,
      };
    };
    const runSandbox = async (config = sandboxConfig()) => {
      const { podSandboxId = '' } = await runtime.runPodSandbox({ config });
      return { podSandboxId, config };
    };
    const create = async (
      sandbox: { podSandboxId: string; config: PodSandboxConfig },
      command: readonly string[],
      extra: Partial<ContainerConfig> = {},
    ) => {
      await runtime.pullImage({ image: { image: factory.image } });
      counter += 1;
      const config: ContainerConfig = {
        metadata: { name: `c-${counter}`, attempt: 0 },
        image: { image: factory.image },
        command,
        logPath: `c-${counter}.log`,
        ...extra,
      };
      const { containerId = '' } = await runtime.createContainer({
        podSandboxId: sandbox.podSandboxId,
        config,
        sandboxConfig: sandbox.config,
      });
      return { containerId, log: join(directory, 'logs', `c-${counter}.log`) };
    };
    const run = async (command: readonly string[], extra: Partial<ContainerConfig> = {}) => {
      const container = await create(await runSandbox(), command, extra);
      await runtime.startContainer({ containerId: container.containerId });
      return container;
    };
    const statusOf = async (containerId: string) => (await runtime.containerStatus({ containerId })).status ?? {};
    const exitOf = (containerId: string) =>
      eventually(async () => {
        const status = await statusOf(containerId);
        return status.state === 'CONTAINER_EXITED' ? status : undefined;
      }, `container ${containerId} exited`);
    /** Log lines without their time: `stdout F text`. */
    const rawLogLines = async (path: string) =>
      (await readFile(path, 'utf8'))
        .trimEnd()
        .split('\n')
        .map((line) => line.slice(line.indexOf(' ') + 1));
    /** The same with the parts of a line joined; a last line that has no end counts as whole, whichever way the driver marks it. */
    const logLines = async (path: string) => {
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
    };
    const execIn = async (containerId: string, command: readonly string[], input?: string) => {
      const [stdout, stderr] = [new PassThrough(), new PassThrough()];
      const stdin = input === undefined ? undefined : PassThrough.from([Buffer.from(input)]);
      const texts = [stdout, stderr].map(async (stream) => {
        let text = '';
        for await (const chunk of stream) text += String(chunk);
        return text;
      });
      const code = await runtime.exec({ containerId, command, tty: false }, { stdin, stdout, stderr }, new AbortController().signal);
      stdout.end();
      stderr.end();
      const [out = '', err = ''] = await Promise.all(texts);
      return { code, out, err };
    };

    test('a sandbox is ready, has an address, and is listed by label and state', async () => {
      const { podSandboxId, config } = await runSandbox();
      const { status } = await runtime.podSandboxStatus({ podSandboxId });
      expect(status).toMatchObject({ id: podSandboxId, state: 'SANDBOX_READY', metadata: { ...config.metadata } });
      expect(status?.network?.ip).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
      const listed = await runtime.listPodSandbox({ filter: { labelSelector: config.labels ?? {}, state: { state: 'SANDBOX_READY' } } });
      expect(listed.items?.map(({ id }) => id)).toEqual([podSandboxId]);
    });

    test('two sandboxes have different addresses', async () => {
      const ids = [await runSandbox(), await runSandbox()];
      const addresses = await Promise.all(
        ids.map(async ({ podSandboxId }) => (await runtime.podSandboxStatus({ podSandboxId })).status?.network?.ip),
      );
      expect(new Set(addresses).size).toBe(2);
    });

    test('stopping a sandbox ends its containers, twice is fine; removing it forgets it', async () => {
      const sandbox = await runSandbox();
      const { containerId } = await create(sandbox, ['sleep', '1000']);
      await runtime.startContainer({ containerId });
      await runtime.stopPodSandbox({ podSandboxId: sandbox.podSandboxId });
      await runtime.stopPodSandbox({ podSandboxId: sandbox.podSandboxId });
      expect((await statusOf(containerId)).state).toBe('CONTAINER_EXITED');
      await runtime.removePodSandbox({ podSandboxId: sandbox.podSandboxId });
      const missing = await runtime.podSandboxStatus({ podSandboxId: sandbox.podSandboxId }).catch((err: unknown) => err);
      expect(isRuntimeError(missing) && missing.code).toBe('NOT_FOUND');
    });

    test('a container goes from created to running to exited with its exit code and times', async () => {
      const { containerId } = await create(await runSandbox(), ['sh', '-c', 'exit 7']);
      expect((await statusOf(containerId)).state).toBe('CONTAINER_CREATED');
      await runtime.startContainer({ containerId });
      const status = await exitOf(containerId);
      expect(status).toMatchObject({ exitCode: 7, reason: 'Error' });
      expect(status.startedAt).toBeGreaterThanOrEqual(status.createdAt ?? Number.POSITIVE_INFINITY);
    });

    test('an exit code of nothing is Completed', async () => {
      const { containerId } = await run(['true']);
      expect(await exitOf(containerId)).toMatchObject({ exitCode: 0, reason: 'Completed' });
    });

    test('a program that does not exist fails the start in the words users know', async () => {
      const { containerId } = await create(await runSandbox(), ['orrery-no-such-program']);
      const failure = await runtime.startContainer({ containerId }).catch((err: unknown) => err);
      expect(String(failure)).toContain('exec: "orrery-no-such-program": executable file not found in $PATH');
    });

    test('output stands in the CRI log with its stream, an unfinished last line too', async () => {
      const { containerId, log } = await run(['sh', '-c', 'echo out; echo err >&2; printf unfinished']);
      await exitOf(containerId);
      expect((await logLines(log)).sort()).toEqual(['stderr F err', 'stdout F out', 'stdout F unfinished']);
    });

    test('a long line is split into parts', async () => {
      const { containerId, log } = await run(['sh', '-c', 'head -c 40000 /dev/zero | tr "\\0" x; echo']);
      await exitOf(containerId);
      const lines = await rawLogLines(log);
      const tags = lines.map((line) => line.split(' ')[1]);
      expect(tags.length).toBeGreaterThan(1);
      expect(tags).toEqual([...tags.slice(1).fill('P'), 'F']);
      expect(lines.map((line) => line.split(' ')[2] ?? '').join('')).toHaveLength(40_000);
    });

    test('environment and working directory reach the command', async () => {
      const { containerId, log } = await run(['sh', '-c', 'echo "$GREETING from $(pwd)"'], {
        envs: [{ key: 'GREETING', value: Buffer.from('hello "world"') }],
        workingDir: '/tmp',
      });
      await exitOf(containerId);
      expect(await logLines(log)).toEqual(['stdout F hello "world" from /tmp']);
    });

    test('volumes are seen at their paths, read-only ones refuse writes', async () => {
      const volume = await mkdtemp(join(directory, 'volume-'));
      await writeFile(join(volume, 'key'), 'value');
      const mounts = [
        { hostPath: volume, containerPath: '/orrery-test/rw' },
        { hostPath: volume, containerPath: '/orrery-test/ro', readonly: true },
        { hostPath: join(volume, 'key'), containerPath: '/orrery-test/file' },
      ];
      const { containerId, log } = await run(
        ['sh', '-c', 'cat /orrery-test/file; echo; echo new >/orrery-test/rw/new; echo x 2>/dev/null >/orrery-test/ro/no || echo refused'],
        { mounts },
      );
      await exitOf(containerId);
      expect(await logLines(log)).toEqual(['stdout F value', 'stdout F refused']);
      expect(await readFile(join(volume, 'new'), 'utf8')).toBe('new\n');
    });

    test('SIGTERM comes first, and its handler runs', async () => {
      const { containerId, log } = await run(['sh', '-c', 'trap "echo bye; exit 3" TERM; echo ready; while :; do sleep 0.05; done']);
      await eventually(async () => ((await readFile(log, 'utf8').catch(() => '')).includes('ready') ? true : undefined), 'ready');
      await runtime.stopContainer({ containerId, timeout: 10 });
      expect((await statusOf(containerId)).exitCode).toBe(3);
      expect(await logLines(log)).toContain('stdout F bye');
    });

    test('what ignores SIGTERM is killed, with all it started', async () => {
      const { containerId, log } = await run(['sh', '-c', 'trap "" TERM; (setsid sleep 1234 &); echo $$; while :; do sleep 0.05; done']);
      await eventually(async () => ((await readFile(log, 'utf8').catch(() => '')).includes('\n') ? true : undefined), 'started');
      await runtime.stopContainer({ containerId, timeout: 1 });
      expect((await statusOf(containerId)).exitCode).toBe(137);
    });

    test('exec runs beside the command: output, streams, input, exit code', async () => {
      const { containerId } = await run(['sleep', '1000'], { envs: [{ key: 'COLOUR', value: Buffer.from('blue') }] });
      expect(await execIn(containerId, ['sh', '-c', 'echo out $COLOUR; echo err >&2; exit 5'])).toEqual({
        code: 5,
        out: 'out blue\n',
        err: 'err\n',
      });
      expect(await execIn(containerId, ['cat'], 'some input')).toMatchObject({ code: 0, out: 'some input' });
    });

    test('exec sees the container’s volumes', async () => {
      const volume = await mkdtemp(join(directory, 'volume-'));
      await writeFile(join(volume, 'key'), 'value');
      const { containerId } = await run(['sleep', '1000'], { mounts: [{ hostPath: volume, containerPath: '/orrery-test/v' }] });
      expect(await execIn(containerId, ['cat', '/orrery-test/v/key'])).toMatchObject({ code: 0, out: 'value' });
    });

    test('exec passes megabytes intact in both directions', async () => {
      const { containerId } = await run(['sleep', '1000']);
      const data = 'x'.repeat(5_000_000);
      const { out } = await execIn(containerId, ['cat'], data);
      expect(out.length).toBe(data.length);
    });

    test('exec of an unknown program is refused', async () => {
      const { containerId } = await run(['sleep', '1000']);
      await expect(execIn(containerId, ['orrery-no-such-program'])).rejects.toThrow(
        'exec: "orrery-no-such-program": executable file not found in $PATH',
      );
    });

    test('an aborted exec ends its process', async () => {
      const { containerId } = await run(['sleep', '1000']);
      const abort = new AbortController();
      const pending = runtime.exec({ containerId, command: ['sleep', '1000'], tty: false }, {}, abort.signal);
      setTimeout(() => abort.abort(), 50);
      await expect(pending).rejects.toThrow();
    });

    test('execSync collects output and respects its timeout', async () => {
      const { containerId } = await run(['sleep', '1000']);
      const { exitCode, stdout } = await runtime.execSync({ containerId, cmd: ['sh', '-c', 'echo probe; exit 2'] });
      expect([exitCode, Buffer.from(stdout ?? []).toString()]).toEqual([2, 'probe\n']);
      const late = await runtime.execSync({ containerId, cmd: ['sleep', '100'], timeout: 1 }).catch((err: unknown) => err);
      expect(isRuntimeError(late) && late.code).toBe('DEADLINE_EXCEEDED');
    });

    test('exec with a terminal has one, and its size follows', async () => {
      const { containerId } = await run(['sleep', '1000']);
      const stdout = new PassThrough();
      let text = '';
      stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
      const stdin = new PassThrough();
      async function* sizes() {
        yield { width: 123, height: 45 };
      }
      const code = runtime.exec(
        { containerId, command: ['sh', '-c', 'read line; stty size; test -t 0 && echo tty $line; exit 4'], tty: true },
        { stdin, stdout, resize: sizes() },
        new AbortController().signal,
      );
      setTimeout(() => stdin.write('hi\n'), 200);
      expect(await code).toBe(4);
      expect(text).toContain('45 123');
      expect(text).toContain('tty hi');
    });

    test('attach gives input to a container and ends it when the input ends (stdinOnce)', async () => {
      const { containerId, log } = await run(['sh', '-c', 'cat; echo done'], { stdin: true, stdinOnce: true });
      const stdin = new PassThrough();
      const stdout = new PassThrough();
      let seen = '';
      stdout.on('data', (chunk: Buffer) => (seen += chunk.toString()));
      const attached = runtime.attach({ containerId, tty: false }, { stdin, stdout }, new AbortController().signal);
      stdin.write('first\n');
      stdin.end('last\n');
      await attached;
      expect(await exitOf(containerId)).toMatchObject({ exitCode: 0 });
      expect(await logLines(log)).toEqual(['stdout F first', 'stdout F last', 'stdout F done']);
      expect(seen).toBe('first\nlast\ndone\n');
    });

    test('a container with a terminal can be attached and sized', async () => {
      const { containerId } = await run(['sh', '-c', 'read line; stty size; echo got $line'], { stdin: true, tty: true });
      const stdin = new PassThrough();
      const stdout = new PassThrough();
      let seen = '';
      stdout.on('data', (chunk: Buffer) => (seen += chunk.toString()));
      async function* sizes() {
        yield { width: 99, height: 33 };
      }
      const attached = runtime.attach({ containerId, tty: true }, { stdin, stdout, resize: sizes() }, new AbortController().signal);
      setTimeout(() => stdin.write('words\n'), 500);
      await attached;
      expect(await exitOf(containerId)).toMatchObject({ exitCode: 0 });
      expect(seen).toContain('33 99');
      expect(seen).toContain('got words');
    });

    test('containers outlive the agent: a new one finds them running, with their log and their end', async () => {
      const { containerId, log } = await run([
        'sh',
        '-c',
        'i=0; while [ $i -lt 40 ]; do echo line $i; i=$((i+1)); sleep 0.05; done; exit 9',
      ]);
      await eventually(async () => ((await readFile(log, 'utf8').catch(() => '')).includes('line 3') ? true : undefined), 'output');
      await runtime.close();
      await new Promise((resolve) => setTimeout(resolve, 300));
      runtime = await factory.open(join(directory, 'state'));
      expect((await statusOf(containerId)).state).toBe('CONTAINER_RUNNING');
      expect(await exitOf(containerId)).toMatchObject({ exitCode: 9 });
      expect(await logLines(log)).toEqual(Array.from({ length: 40 }, (_, i) => `stdout F line ${i}`));
    });

    test('an end that nobody watched is found by the next agent', async () => {
      const { containerId } = await run(['sh', '-c', 'sleep 0.2; exit 6']);
      await runtime.close();
      await new Promise((resolve) => setTimeout(resolve, 600));
      runtime = await factory.open(join(directory, 'state'));
      expect(await statusOf(containerId)).toMatchObject({ state: 'CONTAINER_EXITED', exitCode: 6 });
    });

    test('a rotated log goes on in a new file and loses nothing', async () => {
      const { rename } = await import('node:fs/promises');
      const { containerId, log } = await run(['sh', '-c', 'echo before; read x; echo after'], { stdin: true });
      await eventually(async () => ((await readFile(log, 'utf8').catch(() => '')).includes('before') ? true : undefined), 'before');
      await rename(log, `${log}.1`);
      await runtime.reopenContainerLog({ containerId });
      const stdin = PassThrough.from([Buffer.from('go\n')]);
      await runtime.attach({ containerId, tty: false }, { stdin }, new AbortController().signal);
      await exitOf(containerId);
      expect(await logLines(`${log}.1`)).toEqual(['stdout F before']);
      expect(await logLines(log)).toEqual(['stdout F after']);
    });

    test('events tell of start and end', async () => {
      const abort = new AbortController();
      const seen: string[] = [];
      const reading = (async () => {
        for await (const event of runtime.getContainerEvents({}, abort.signal))
          seen.push(`${event.containerId} ${event.containerEventType}`);
      })();
      const { containerId } = await run(['true']);
      await exitOf(containerId);
      await eventually(async () => (seen.some((text) => text.includes('STOPPED')) ? true : undefined), 'the stop event');
      abort.abort();
      await reading;
      expect(seen.filter((text) => text.startsWith(containerId)).map((text) => text.split(' ')[1])).toEqual([
        'CONTAINER_CREATED_EVENT',
        'CONTAINER_STARTED_EVENT',
        'CONTAINER_STOPPED_EVENT',
      ]);
    });

    test('images: pulled, listed, looked up, removed', async () => {
      const image = { image: factory.image };
      const { imageRef } = await runtime.pullImage({ image });
      expect(imageRef).not.toBe('');
      expect((await runtime.imageStatus({ image })).image?.id).toBe(imageRef);
      expect((await runtime.listImages({})).images?.length).toBeGreaterThan(0);
      await runtime.removeImage({ image });
      expect((await runtime.imageStatus({ image })).image).toBeUndefined();
    });

    test('stats show a running container', async () => {
      const { containerId } = await run(['sleep', '1000']);
      const { stats = [] } = await runtime.listContainerStats({ filter: { id: containerId } });
      expect(stats.map(({ attributes }) => attributes?.id)).toEqual([containerId]);
      expect(stats[0]?.memory?.workingSetBytes?.value).toBeGreaterThan(0);
    });
  });
}
