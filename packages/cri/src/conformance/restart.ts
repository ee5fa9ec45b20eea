import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { pause } from './eventually.ts';
import { type Kit, logLines } from './kit.ts';

export function describeRestart(kit: Kit): void {
  describe('another agent', () => {
    test('finds containers running, with their log and their end', async () => {
      const script = 'i=0; while [ $i -lt 40 ]; do echo line $i; i=$((i+1)); sleep 0.05; done; exit 9';
      const { containerId, log } = await kit.run(['sh', '-c', script]);
      await kit.logged(log, 'line 3');
      await kit.reopen(300);
      expect((await kit.statusOf(containerId)).state).toBe('CONTAINER_RUNNING');
      expect(await kit.exitOf(containerId)).toMatchObject({ exitCode: 9 });
      expect(await logLines(log)).toEqual(Array.from({ length: 40 }, (_, i) => `stdout F line ${i}`));
    });

    test('finds an end that nobody watched', async () => {
      const { containerId } = await kit.run(['sh', '-c', 'sleep 0.2; exit 6']);
      await kit.reopen(600);
      expect(await kit.exitOf(containerId)).toMatchObject({ exitCode: 6 });
    });

    test('finds sandboxes and containers as they were', async () => {
      const sandbox = await kit.runSandbox();
      const { containerId: created } = await kit.create(sandbox, ['true']);
      const { containerId: running } = await kit.start(sandbox, ['sleep', '1000'], { labels: { app: 'web' } });
      const { containerId: ended } = await kit.start(sandbox, ['sh', '-c', 'exit 4']);
      await kit.exitOf(ended);
      const before = await snapshot(kit, sandbox.podSandboxId);
      await kit.reopen();
      expect(await snapshot(kit, sandbox.podSandboxId)).toEqual(before);
      await kit.runtime.startContainer({ containerId: created });
      expect(await kit.exitOf(created)).toMatchObject({ exitCode: 0 });
      expect(await kit.exec(running, ['echo', 'here'])).toMatchObject({ out: 'here\n' });
      expect(await kit.statusOf(ended)).toMatchObject({ exitCode: 4 });
    });

    test('attaches to what an earlier one started', async () => {
      const { containerId, log } = await kit.run(['sh', '-c', 'read line; echo got $line'], { stdin: true });
      await kit.reopen();
      const stdin = new PassThrough();
      const attached = kit.runtime.attach({ containerId, tty: false }, { stdin }, new AbortController().signal);
      await pause(50);
      stdin.write('words\n');
      await attached;
      await kit.exitOf(containerId);
      expect(await logLines(log)).toEqual(['stdout F got words']);
    });

    test('removes what an earlier one made', async () => {
      const sandbox = await kit.runSandbox();
      await kit.start(sandbox, ['sleep', '1000']);
      await kit.reopen();
      await kit.runtime.stopPodSandbox({ podSandboxId: sandbox.podSandboxId });
      await kit.runtime.removePodSandbox({ podSandboxId: sandbox.podSandboxId });
      expect((await kit.runtime.listPodSandbox({})).items ?? []).toEqual([]);
    });
  });
}

async function snapshot({ runtime }: Kit, podSandboxId: string): Promise<unknown> {
  const { status } = await runtime.podSandboxStatus({ podSandboxId });
  const { containers = [] } = await runtime.listContainers({});
  const sorted = [...containers].sort((a, b) => (a.id ?? '').localeCompare(b.id ?? ''));
  return { network: status?.network, state: status?.state, containers: sorted.map(({ id, state, labels }) => ({ id, state, labels })) };
}
