import { mkdtemp, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import type { RuntimeAbilities } from './abilities.ts';
import { eventually } from './eventually.ts';
import { type Kit, logLines, textOf } from './kit.ts';

const never = (): AbortSignal => new AbortController().signal;
const sleeping = ['sleep', '1000'] as const;

async function* sizes(...given: readonly { readonly width: number; readonly height: number }[]) {
  yield* given;
}

export function describeStreaming(kit: Kit, abilities: RuntimeAbilities): void {
  describeExec(kit);
  describeTerminals(kit);
  describeAttach(kit);
  if (abilities.isolation) describePortForward(kit);
  if (abilities.abortsExec) describeAbort(kit);
}

function describeExec(kit: Kit): void {
  describe('exec', () => {
    test('runs beside the command: output, streams, input, exit code', async () => {
      const { containerId } = await kit.run(sleeping, { envs: [{ key: 'COLOUR', value: Buffer.from('blue') }] });
      const script = 'echo out $COLOUR; echo err >&2; exit 5';
      expect(await kit.exec(containerId, ['sh', '-c', script])).toEqual({ code: 5, out: 'out blue\n', err: 'err\n' });
      expect(await kit.exec(containerId, ['cat'], 'some input')).toMatchObject({ code: 0, out: 'some input' });
    });

    test('sees the container’s volumes and working directory', async () => {
      const volume = await mkdtemp(join(kit.directory, 'volume-'));
      await writeFile(join(volume, 'key'), 'value');
      const mounts = [{ hostPath: volume, containerPath: '/orrery-test/v' }];
      const { containerId } = await kit.run(sleeping, { mounts, workingDir: '/orrery-test/v' });
      expect(await kit.exec(containerId, ['cat', '/orrery-test/v/key'])).toMatchObject({ code: 0, out: 'value' });
      expect(await kit.exec(containerId, ['pwd'])).toMatchObject({ out: '/orrery-test/v\n' });
    });

    test('passes megabytes intact in both directions', async () => {
      const { containerId } = await kit.run(sleeping);
      const data = 'x'.repeat(5_000_000);
      const { out } = await kit.exec(containerId, ['cat'], data);
      expect(out.length).toBe(data.length);
    });

    test('of an unknown program is refused', async () => {
      const { containerId } = await kit.run(sleeping);
      await expect(kit.exec(containerId, ['orrery-no-such-program'])).rejects.toThrow(
        'exec: "orrery-no-such-program": executable file not found in $PATH',
      );
    });

    test('many at once keep their outputs apart', async () => {
      const { containerId } = await kit.run(sleeping);
      const numbers = Array.from({ length: 6 }, (_, index) => index);
      const done = await Promise.all(numbers.map((number) => kit.exec(containerId, ['sh', '-c', `echo ${number}; exit ${number}`])));
      expect(done).toEqual(numbers.map((number) => ({ code: number, out: `${number}\n`, err: '' })));
    });

    test('that is aborted is rejected', async () => {
      const { containerId } = await kit.run(sleeping);
      const abort = new AbortController();
      const pending = kit.runtime.exec({ containerId, command: sleeping, tty: false }, {}, abort.signal);
      setTimeout(() => abort.abort(), 50);
      await expect(pending).rejects.toThrow();
    });

    test('is refused where nothing runs', async () => {
      const { containerId } = await kit.create(await kit.runSandbox(), sleeping);
      await expect(kit.exec(containerId, ['true'])).rejects.toThrow();
      await expect(kit.runtime.execSync({ containerId, cmd: ['true'] })).rejects.toThrow();
    });

    test('execSync collects output and respects its timeout', async () => {
      const { containerId } = await kit.run(sleeping);
      const { exitCode, stdout, stderr } = await kit.runtime.execSync({
        containerId,
        cmd: ['sh', '-c', 'echo probe; echo no >&2; exit 2'],
      });
      expect([exitCode, String(stdout), String(stderr)]).toEqual([2, 'probe\n', 'no\n']);
      expect(await kit.codeOf(kit.runtime.execSync({ containerId, cmd: sleeping, timeout: 1 }))).toBe('DEADLINE_EXCEEDED');
    });

    test('execSync that is aborted is rejected', async () => {
      const { containerId } = await kit.run(sleeping);
      const abort = new AbortController();
      const pending = kit.runtime.execSync({ containerId, cmd: sleeping, timeout: 0 }, abort.signal);
      setTimeout(() => abort.abort(), 50);
      await expect(pending).rejects.toThrow();
    });
  });
}

function describeAbort(kit: Kit): void {
  test('an aborted exec ends its process', async () => {
    const { containerId } = await kit.run(sleeping);
    const abort = new AbortController();
    const stdout = new PassThrough();
    const pending = kit.runtime.exec({ containerId, command: ['sh', '-c', 'echo $$; sleep 1000'], tty: false }, { stdout }, abort.signal);
    const [first] = (await stdout.iterator({ destroyOnReturn: false }).next()).value.toString().split('\n');
    abort.abort();
    await expect(pending).rejects.toThrow();
    const gone = async () => ((await kit.execText(containerId, `kill -0 ${first} 2>&1`)) === '' ? undefined : true);
    await eventually(gone, 'the process is gone');
  });
}

function describeTerminals(kit: Kit): void {
  describe('terminals', () => {
    test('exec with a terminal has one, and its size follows', async () => {
      const { containerId } = await kit.run(sleeping);
      const [stdin, stdout] = [new PassThrough(), new PassThrough()];
      const text = textOf(stdout);
      const code = kit.runtime.exec(
        { containerId, command: ['sh', '-c', 'read line; stty size; test -t 0 && echo tty $line; exit 4'], tty: true },
        { stdin, stdout, resize: sizes({ width: 80, height: 24 }, { width: 123, height: 45 }) },
        never(),
      );
      setTimeout(() => stdin.write('hi\n'), 500);
      expect(await code).toBe(4);
      stdout.end();
      expect(await text).toContain('45 123');
      expect(await text).toContain('tty hi');
    });

    test('a container with a terminal can be attached and sized', async () => {
      const { containerId } = await kit.run(['sh', '-c', 'read line; stty size; echo got $line'], { stdin: true, tty: true });
      const [stdin, stdout] = [new PassThrough(), new PassThrough()];
      const text = textOf(stdout);
      const attached = kit.runtime.attach({ containerId, tty: true }, { stdin, stdout, resize: sizes({ width: 99, height: 33 }) }, never());
      setTimeout(() => stdin.write('words\n'), 500);
      await attached;
      expect(await kit.exitOf(containerId)).toMatchObject({ exitCode: 0 });
      stdout.end();
      expect(await text).toContain('33 99');
      expect(await text).toContain('got words');
    });
  });
}

function describeAttach(kit: Kit): void {
  describe('attach', () => {
    test('gives input to a container and ends it when the input ends (stdinOnce)', async () => {
      const { containerId, log } = await kit.run(['sh', '-c', 'cat; echo done'], { stdin: true, stdinOnce: true });
      const [stdin, stdout] = [new PassThrough(), new PassThrough()];
      const text = textOf(stdout);
      const attached = kit.runtime.attach({ containerId, tty: false }, { stdin, stdout }, never());
      stdin.write('first\n');
      stdin.end('last\n');
      await attached;
      stdout.end();
      expect(await kit.exitOf(containerId)).toMatchObject({ exitCode: 0 });
      expect(await logLines(log)).toEqual(['stdout F first', 'stdout F last', 'stdout F done']);
      expect(await text).toBe('first\nlast\ndone\n');
    });

    test('hears the output to its end, also after the container has closed its errors', async () => {
      const { containerId } = await kit.run(['sh', '-c', 'read line; exec 2>&-; sleep 0.5; echo "heard $line"'], { stdin: true });
      const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
      const text = textOf(stdout);
      const attached = kit.runtime.attach({ containerId, tty: false }, { stdin, stdout, stderr }, never());
      stdin.write('words\n');
      await attached;
      stdout.end();
      expect(await text).toBe('heard words\n');
    });

    test('that is aborted leaves the container running', async () => {
      const { containerId } = await kit.run(sleeping, { stdin: true });
      const abort = new AbortController();
      const attached = kit.runtime.attach(
        { containerId, tty: false },
        { stdin: new PassThrough(), stdout: new PassThrough() },
        abort.signal,
      );
      setTimeout(() => abort.abort(), 100);
      await attached.catch(() => undefined);
      expect((await kit.statusOf(containerId)).state).toBe('CONTAINER_RUNNING');
    });

    test('is refused where nothing runs', async () => {
      const { containerId } = await kit.create(await kit.runSandbox(), sleeping);
      await expect(kit.runtime.attach({ containerId, tty: false }, { stdout: new PassThrough() }, never())).rejects.toThrow();
    });
  });
}

function describePortForward(kit: Kit): void {
  const forward = async (podSandboxId: string, port: number, request: string): Promise<string> => {
    const [readable, writable] = [new PassThrough(), new PassThrough()];
    const text = textOf(writable);
    readable.end(request);
    await kit.runtime.portForward({ podSandboxId, port }, { readable, writable }, never());
    writable.end();
    return text;
  };

  describe('port-forward', () => {
    test('reaches what listens on the pod’s loopback, and hears all of the answer', async () => {
      const sandbox = await kit.runSandbox();
      await kit.start(sandbox, ['sh', '-c', 'head -c 300000 /dev/zero | tr "\\0" x >/tmp/f; httpd -f -p 127.0.0.1:8080 -h /tmp']);
      const answer = await eventually(
        () => forward(sandbox.podSandboxId, 8080, 'GET /f HTTP/1.0\r\n\r\n').catch(() => undefined),
        'an answer of the server',
      );
      expect(answer).toContain('200 OK');
      expect(answer.slice(answer.indexOf('\r\n\r\n') + 4)).toHaveLength(300_000);
    });

    test('passes on the end that the pod makes first', async () => {
      const sandbox = await kit.runSandbox();
      await kit.start(sandbox, ['httpd', '-f', '-p', '127.0.0.1:8080', '-h', '/tmp']);
      await eventually(() => forward(sandbox.podSandboxId, 8080, 'GET / HTTP/1.0\r\n\r\n').catch(() => undefined), 'a server');
      const [readable, writable] = [new PassThrough(), new PassThrough()];
      const text = textOf(writable);
      readable.write('GET /none HTTP/1.0\r\n\r\n');
      const forwarding = kit.runtime.portForward({ podSandboxId: sandbox.podSandboxId, port: 8080 }, { readable, writable }, never());
      expect(await text).toContain('404 Not Found');
      readable.end();
      await forwarding;
    });

    test('to a port where nobody listens fails or says nothing', async () => {
      const { podSandboxId } = await kit.runSandbox();
      expect(await forward(podSandboxId, 9, 'hello').catch(() => '')).toBe('');
    });

    test('in a sandbox that never was is NOT_FOUND', async () => {
      expect(await kit.codeOf(forward('0'.repeat(64), 80, ''))).toBe('NOT_FOUND');
    });

    test('does not reach the host’s own ports', async () => {
      const server = createServer((socket) => socket.end('the host'));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const bound = server.address();
      const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
      try {
        const { podSandboxId } = await kit.runSandbox();
        expect(await forward(podSandboxId, port, '').catch(() => '')).toBe('');
      } finally {
        server.close();
      }
    });
  });
}
