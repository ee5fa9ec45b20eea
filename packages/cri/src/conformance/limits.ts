import { describe, expect, test } from 'vitest';
import type { LinuxContainerResources } from '../generated/cri-v1.ts';
import type { RuntimeAbilities } from './abilities.ts';
import { eventually } from './eventually.ts';
import type { Kit } from './kit.ts';

const MIB = 1024 * 1024;
/** The container's own control group, version 2 or 1. */
const memoryLimit = 'cat /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes';
const cpuLimit =
  'cat /sys/fs/cgroup/cpu.max 2>/dev/null || ' +
  'echo $(cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us) $(cat /sys/fs/cgroup/cpu/cpu.cfs_period_us)';
const cpuWeight = 'cat /sys/fs/cgroup/cpu.weight 2>/dev/null || cat /sys/fs/cgroup/cpu/cpu.shares';

export function describeStats(kit: Kit): void {
  describe('statistics', () => {
    test('show running containers: who, cpu, memory', async () => {
      const { containerId } = await kit.run(['sleep', '1000'], { labels: { app: 'web' } });
      const { stats = [] } = await kit.runtime.listContainerStats({ filter: { id: containerId } });
      expect(stats.map(({ attributes }) => attributes?.id)).toEqual([containerId]);
      expect(stats[0]?.attributes?.labels).toEqual({ app: 'web' });
      expect(stats[0]?.memory?.workingSetBytes?.value).toBeGreaterThan(0);
      expect(stats[0]?.cpu?.timestamp).toBeGreaterThan(0);
    });

    test('cpu time grows with work', async () => {
      const { containerId } = await kit.run(['sh', '-c', 'while :; do :; done']);
      const used = async () => (await kit.runtime.listContainerStats({ filter: { id: containerId } })).stats?.[0]?.cpu;
      const busy = async () => ((await used())?.usageCoreNanoSeconds?.value ?? 0) > 100_000_000 || undefined;
      expect(await eventually(busy, 'a tenth of a second of cpu time')).toBe(true);
    });

    test('are filtered by sandbox and label', async () => {
      const sandbox = await kit.runSandbox();
      const { containerId: one } = await kit.start(sandbox, ['sleep', '1000'], { labels: { app: 'one' } });
      const { containerId: two } = await kit.run(['sleep', '1000'], { labels: { app: 'two' } });
      const found = async (filter: object) =>
        ((await kit.runtime.listContainerStats({ filter })).stats ?? []).map(({ attributes }) => attributes?.id);
      expect(await found({ podSandboxId: sandbox.podSandboxId })).toEqual([one]);
      expect(await found({ labelSelector: { app: 'two' } })).toEqual([two]);
      expect(new Set(await found({}))).toEqual(new Set([one, two]));
    });
  });
}

export function describeLimits(kit: Kit, abilities: RuntimeAbilities): void {
  if (!abilities.limits) return;
  const limited = (resources: LinuxContainerResources) => ({ linux: { resources } });

  describe('limits', () => {
    test('the container sees its memory and cpu limits', async () => {
      const { containerId } = await kit.run(
        ['sleep', '1000'],
        limited({ memoryLimitInBytes: 64 * MIB, cpuQuota: 20_000, cpuPeriod: 100_000, cpuShares: 512 }),
      );
      expect(await kit.execText(containerId, memoryLimit)).toBe(String(64 * MIB));
      expect(await kit.execText(containerId, cpuLimit)).toBe('20000 100000');
      expect(['512', '20']).toContain(await kit.execText(containerId, cpuWeight)); // Version 2: 1 + (512 - 2) * 9999 / 262142.
    });

    test('limits change while it runs', async () => {
      const { containerId } = await kit.run(
        ['sleep', '1000'],
        limited({ memoryLimitInBytes: 64 * MIB, cpuQuota: 20_000, cpuPeriod: 100_000 }),
      );
      const linux = { memoryLimitInBytes: 128 * MIB, cpuQuota: 50_000, cpuPeriod: 100_000 };
      await kit.runtime.updateContainerResources({ containerId, linux });
      expect(await kit.execText(containerId, memoryLimit)).toBe(String(128 * MIB));
      expect(await kit.execText(containerId, cpuLimit)).toBe('50000 100000');
    });

    test('changing the limits of what never was is NOT_FOUND', async () => {
      const pending = kit.runtime.updateContainerResources({ containerId: '0'.repeat(64), linux: { cpuShares: 2 } });
      expect(await kit.codeOf(pending)).toBe('NOT_FOUND');
    });

    test('who takes more memory than the limit is killed, and the status says why', async () => {
      const { containerId } = await kit.run(['sh', '-c', 'tail /dev/zero'], limited({ memoryLimitInBytes: 16 * MIB }));
      expect(await kit.exitOf(containerId)).toMatchObject({ exitCode: 137, reason: 'OOMKilled' });
    });

    test('oom_score_adj is the pod’s', async () => {
      expect(await kit.output('cat /proc/self/oom_score_adj', limited({ oomScoreAdj: 998 }))).toBe('998');
    });

    test('a container without limits has none', async () => {
      const { containerId } = await kit.run(['sleep', '1000']);
      const limit = await kit.execText(containerId, memoryLimit);
      expect(limit === 'max' || Number(limit) > 2 ** 60).toBe(true);
    });
  });
}
