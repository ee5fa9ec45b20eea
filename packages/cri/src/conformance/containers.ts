import { describe, expect, test } from 'vitest';
import type { ContainerFilter } from '../generated/cri-v1.ts';
import type { RuntimeAbilities } from './abilities.ts';
import { eventually } from './eventually.ts';
import { type Kit, logLines } from './kit.ts';

export function describeContainers(kit: Kit, abilities: RuntimeAbilities): void {
  describe('containers', () => {
    test('a container goes from created to running to exited with its exit code and times', async () => {
      const { containerId } = await kit.create(await kit.runSandbox(), ['sh', '-c', 'exit 7']);
      expect((await kit.statusOf(containerId)).state).toBe('CONTAINER_CREATED');
      await kit.runtime.startContainer({ containerId });
      const status = await kit.exitOf(containerId);
      expect(status).toMatchObject({ exitCode: 7, reason: 'Error' });
      expect(status.startedAt).toBeGreaterThanOrEqual(status.createdAt ?? Number.POSITIVE_INFINITY);
      // Not than its start: what ends at once may end before a driver looks at the clock for that.
      expect(status.finishedAt).toBeGreaterThanOrEqual(status.createdAt ?? Number.POSITIVE_INFINITY);
    });

    test('an exit code of nothing is Completed', async () => {
      const { containerId } = await kit.run(['true']);
      expect(await kit.exitOf(containerId)).toMatchObject({ exitCode: 0, reason: 'Completed' });
    });

    test('the status tells what was asked for', async () => {
      const labels = { app: 'web' };
      const annotations = { note: 'kept' };
      const { containerId, log } = await kit.run(['sleep', '1000'], { labels, annotations, metadata: { name: 'web', attempt: 3 } });
      const status = await kit.statusOf(containerId);
      expect(status).toMatchObject({ id: containerId, labels, annotations, metadata: { name: 'web', attempt: 3 }, logPath: log });
      expect(status.image?.image).toContain('busybox');
      expect(status.imageRef).not.toBe('');
    });

    test('lists filter by id, sandbox, state and label', async () => {
      const sandbox = await kit.runSandbox();
      const { containerId: created } = await kit.create(sandbox, ['true'], { labels: { kind: 'created' } });
      const { containerId: running } = await kit.start(sandbox, ['sleep', '1000']);
      const { containerId: other } = await kit.run(['sleep', '1000']);
      const found = async (filter: ContainerFilter) =>
        new Set(((await kit.runtime.listContainers({ filter })).containers ?? []).map(({ id }) => id));
      expect(await found({})).toEqual(new Set([created, running, other]));
      expect(await found({ id: created })).toEqual(new Set([created]));
      expect(await found({ podSandboxId: sandbox.podSandboxId })).toEqual(new Set([created, running]));
      expect(await found({ state: { state: 'CONTAINER_RUNNING' } })).toEqual(new Set([running, other]));
      expect(await found({ labelSelector: { kind: 'created' } })).toEqual(new Set([created]));
    });

    test('a container is not started twice', async () => {
      const { containerId } = await kit.run(['sleep', '1000']);
      await expect(kit.runtime.startContainer({ containerId })).rejects.toThrow();
      expect((await kit.statusOf(containerId)).state).toBe('CONTAINER_RUNNING');
    });

    test('a program that does not exist fails the start in the words users know', async () => {
      const { containerId } = await kit.create(await kit.runSandbox(), ['orrery-no-such-program']);
      const failure = await kit.runtime.startContainer({ containerId }).catch((err: unknown) => err);
      expect(String(failure)).toContain('exec: "orrery-no-such-program": executable file not found in $PATH');
    });

    test('environment and working directory reach the command', async () => {
      const envs = [{ key: 'GREETING', value: Buffer.from('hello "world"') }];
      const script = 'echo "$GREETING from $(pwd)"';
      expect(await kit.output(script, { envs, workingDir: '/tmp' })).toBe('hello "world" from /tmp');
    });

    test('arguments follow the command', async () => {
      const { containerId, log } = await kit.run(['sh', '-c', 'echo "$0-$1-$2"'], { args: ['a', 'b c', ''] });
      await kit.exitOf(containerId);
      expect(await logLines(log)).toEqual(['stdout F a-b c-']);
    });

    test('many containers at once: each has its own end', async () => {
      const count = 8;
      const sandbox = await kit.runSandbox();
      const codes = Array.from({ length: count }, (_, index) => index + 1);
      const started = await Promise.all(codes.map((code) => kit.start(sandbox, ['sh', '-c', `echo ${code}; exit ${code}`])));
      const ended = await Promise.all(started.map(({ containerId }) => kit.exitOf(containerId)));
      expect(ended.map(({ exitCode }) => exitCode)).toEqual(codes);
      expect(await Promise.all(started.map(({ log }) => logLines(log)))).toEqual(codes.map((code) => [`stdout F ${code}`]));
    });

    test('calls about a container that never was say NOT_FOUND', async () => {
      const containerId = '0'.repeat(64);
      expect(await kit.codeOf(kit.runtime.containerStatus({ containerId }))).toBe('NOT_FOUND');
      expect(await kit.codeOf(kit.runtime.startContainer({ containerId }))).toBe('NOT_FOUND');
      expect(await kit.codeOf(kit.runtime.execSync({ containerId, cmd: ['true'] }))).toBe('NOT_FOUND');
    });
  });
  describeEnds(kit);
  if (abilities.events) describeEvents(kit);
}

function describeEnds(kit: Kit): void {
  describe('the end of containers', () => {
    const trapping = 'trap "echo bye; exit 3" TERM; echo ready; while :; do sleep 0.05; done';

    test('SIGTERM comes first, and its handler runs', async () => {
      const { containerId, log } = await kit.run(['sh', '-c', trapping]);
      await kit.logged(log, 'ready');
      await kit.runtime.stopContainer({ containerId, timeout: 10 });
      expect((await kit.exitOf(containerId)).exitCode).toBe(3);
      expect(await logLines(log)).toContain('stdout F bye');
    });

    test('what ignores SIGTERM is killed, with all it started', async () => {
      const script = 'trap "" TERM; (setsid sleep 1234 &); echo $$; while :; do sleep 0.05; done';
      const { containerId, log } = await kit.run(['sh', '-c', script]);
      await kit.logged(log, '\n');
      await kit.runtime.stopContainer({ containerId, timeout: 1 });
      expect((await kit.exitOf(containerId)).exitCode).toBe(137);
    });

    test('a timeout of nothing kills at once', async () => {
      const { containerId, log } = await kit.run(['sh', '-c', trapping]);
      await kit.logged(log, 'ready');
      await kit.runtime.stopContainer({ containerId, timeout: 0 });
      expect((await kit.exitOf(containerId)).exitCode).toBe(137);
    });

    test('stopping what ended, removing what is gone: both succeed', async () => {
      const { containerId } = await kit.run(['true']);
      await kit.exitOf(containerId);
      await kit.runtime.stopContainer({ containerId, timeout: 1 });
      await kit.runtime.stopContainer({ containerId, timeout: 1 });
      await kit.runtime.removeContainer({ containerId });
      await kit.runtime.removeContainer({ containerId });
      await kit.runtime.stopContainer({ containerId, timeout: 1 });
      expect(await kit.codeOf(kit.runtime.containerStatus({ containerId }))).toBe('NOT_FOUND');
    });

    test('a container that was created and never started is removed', async () => {
      const { containerId } = await kit.create(await kit.runSandbox(), ['true']);
      await kit.runtime.removeContainer({ containerId });
      expect((await kit.runtime.listContainers({})).containers ?? []).toEqual([]);
    });

    test('a running container is removed by force', async () => {
      const { containerId } = await kit.run(['sleep', '1000']);
      await kit.runtime.removeContainer({ containerId });
      expect(await kit.codeOf(kit.runtime.containerStatus({ containerId }))).toBe('NOT_FOUND');
    });
  });
}

function describeEvents(kit: Kit): void {
  describe('events', () => {
    test('tell of creation, start and end', async () => {
      const abort = new AbortController();
      const seen: string[] = [];
      const reading = (async () => {
        for await (const event of kit.runtime.getContainerEvents({}, abort.signal))
          seen.push(`${event.containerId} ${event.containerEventType}`);
      })();
      const { containerId } = await kit.run(['true']);
      await kit.exitOf(containerId);
      const ownOnes = () => seen.filter((text) => text.startsWith(containerId)).map((text) => text.split(' ')[1]);
      await eventually(async () => (ownOnes().includes('CONTAINER_STOPPED_EVENT') ? true : undefined), 'the stop event');
      abort.abort();
      await reading;
      expect(ownOnes()).toEqual(['CONTAINER_CREATED_EVENT', 'CONTAINER_STARTED_EVENT', 'CONTAINER_STOPPED_EVENT']);
    });
  });
}
