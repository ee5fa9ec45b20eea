import { spawn } from 'node:child_process';
import { access, constants, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Container, Pod, PodSpec } from '@orrery/api/core/v1';
import { realClock } from '@orrery/base';
import { afterAll, describe, expect, test } from 'vitest';
import { parseHierarchy, readHierarchy } from './hierarchy.ts';
import { cpuWeight, limitFiles } from './limits.ts';
import { newPodCgroups } from './pod-cgroups.ts';
import { burstableShares, podCgroupLimits } from './pod-limits.ts';
import { newCgroupTree } from './tree.ts';

const v1 = (options: string, at: string): string => `31 25 0:27 / ${at} rw,relatime - cgroup cgroup rw,${options}`;
const v2 = (at: string): string => `32 25 0:28 / ${at} rw - cgroup2 cgroup2 rw`;

describe('parseHierarchy', () => {
  const cases: readonly (readonly [string, string, object | undefined])[] = [
    ['nothing', '25 1 0:2 / / rw - ext4 /dev/sda rw', undefined],
    ['version 2', v2('/sys/fs/cgroup'), { version: 2, mounts: new Map([['', '/sys/fs/cgroup']]) }],
    [
      'version 1, two controllers in one mount',
      v1('cpu,cpuacct', '/c/cpu,cpuacct'),
      {
        version: 1,
        mounts: new Map([
          ['cpu', '/c/cpu,cpuacct'],
          ['cpuacct', '/c/cpu,cpuacct'],
        ]),
      },
    ],
    ['hybrid', `${v1('memory', '/c/memory')}\n${v2('/c/unified')}`, { version: 1, mounts: new Map([['memory', '/c/memory']]) }],
    ['only names', `${v1('name=systemd', '/c/systemd')}\n${v2('/c/u\\040x')}`, { version: 2, mounts: new Map([['', '/c/u x']]) }],
  ];
  for (const [name, text, want] of cases) test(name, () => expect(parseHierarchy(text)).toEqual(want));
});

test('limits are written as each version wants them', () => {
  const limits = { cpuShares: 1024, cpuQuotaUs: -1, memoryBytes: 5, pidsMax: -1, hugepageBytes: { '2MB': 7 } };
  expect(limitFiles(1, limits).map(({ controller, file, value }) => `${controller} ${file} ${value}`)).toEqual([
    'cpu cpu.shares 1024',
    'cpu cpu.cfs_period_us 100000',
    'cpu cpu.cfs_quota_us -1',
    'memory memory.limit_in_bytes 5',
    'pids pids.max max',
    'hugetlb hugetlb.2MB.limit_in_bytes 7',
  ]);
  expect(limitFiles(2, limits).map(({ file, value }) => `${file} ${value}`)).toEqual([
    'cpu.weight 39',
    'cpu.max max 100000',
    'memory.max 5',
    'pids.max max',
    'hugetlb.2MB.max 7',
  ]);
  expect([cpuWeight(2), cpuWeight(262_144)]).toEqual([1, 10_000]);
});

const container = (requests: Record<string, string>, limits: Record<string, string> = {}): Container => ({
  name: 'c',
  resources: { requests, limits },
});
const makePod = (qosClass: string, spec: Partial<PodSpec>, uid = 'u1'): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'd', uid, resourceVersion: '1', creationTimestamp: '' },
  spec: { containers: [{ name: 'c' }], ...spec },
  status: { qosClass },
});

describe('podCgroupLimits', () => {
  const all = { cpu: '500m', memory: '64Mi' };
  const cases: readonly (readonly [string, Pod, object])[] = [
    ['best effort', makePod('BestEffort', {}), { cpuShares: 2, pidsMax: 9 }],
    [
      'guaranteed',
      makePod('Guaranteed', { containers: [container(all, all)] }),
      { cpuShares: 512, cpuQuotaUs: 50_000, memoryBytes: 64 * 2 ** 20 },
    ],
    [
      'one container without limits',
      makePod('Burstable', { containers: [container(all, all), container(all)] }),
      { cpuShares: 1024, cpuQuotaUs: -1, memoryBytes: -1 },
    ],
    [
      'overhead comes on top',
      makePod('Guaranteed', { containers: [container(all, all)], overhead: { cpu: '100m', memory: '1Mi' } }),
      { cpuShares: 614, cpuQuotaUs: 60_000, memoryBytes: 65 * 2 ** 20 },
    ],
    [
      'limits of the pod itself',
      makePod('Burstable', { containers: [container({})], resources: { requests: { cpu: '1' }, limits: { cpu: '2', memory: '1Gi' } } }),
      { cpuShares: 1024, cpuQuotaUs: 200_000, memoryBytes: 2 ** 30 },
    ],
    [
      'huge pages',
      makePod('Burstable', { containers: [container({ 'hugepages-2Mi': '4Mi' }, { 'hugepages-2Mi': '4Mi' })] }),
      { hugepageBytes: { '2MB': 4 * 2 ** 20 } },
    ],
  ];
  for (const [name, pod, want] of cases) test(name, () => expect(podCgroupLimits(pod, 9)).toMatchObject(want));
  test('burstable pods weigh what they ask for together', () =>
    expect(burstableShares(cases.map(([, pod]) => pod))).toBe(Math.floor(((500 * 2 + 1000) * 1024) / 1000)));
});

const hierarchy = await readHierarchy();
const allowed =
  hierarchy !== undefined &&
  (await Promise.all([...hierarchy.mounts.values()].map((mount) => access(mount, constants.W_OK)))
    .then(() => true)
    .catch(() => false));

describe.skipIf(!allowed)('on this machine', () => {
  const root = `/orrery-test-${process.pid}`;
  const tree = newCgroupTree(hierarchy ?? { version: 2, mounts: new Map() }, realClock);
  const mount = (controller: string): string => hierarchy?.mounts.get(hierarchy.version === 2 ? '' : controller) ?? '';
  const read = async (controller: string, path: string, file: string): Promise<string> =>
    (await readFile(join(mount(controller), root, 'kubepods', path, file), 'utf8')).trim();
  const first = tree.version === 1;
  afterAll(() => tree.remove(root));

  test('pods get limited groups, which go with everything in them', async () => {
    const cgroups = newPodCgroups(tree, root, 50);
    await cgroups.prepare({ cpu: '2', memory: '4Gi' });
    const amounts = { cpu: '500m', memory: '64Mi' };
    const guaranteed = makePod('Guaranteed', { containers: [container(amounts, amounts)] }, 'ua');
    const burstable = makePod('Burstable', { containers: [container(amounts)] }, 'ub');
    expect(await cgroups.ensure(guaranteed)).toBe(`${root}/kubepods/podua`);
    expect(await cgroups.ensure(burstable)).toBe(`${root}/kubepods/burstable/podub`);
    expect(await read('memory', 'podua', first ? 'memory.limit_in_bytes' : 'memory.max')).toBe(String(64 * 2 ** 20));
    expect(await read('pids', 'podua', 'pids.max')).toBe('50');
    expect(await read('cpu', 'burstable', first ? 'cpu.shares' : 'cpu.weight')).toBe(String(first ? 512 : cpuWeight(512)));
    expect(await read('memory', '', first ? 'memory.limit_in_bytes' : 'memory.max')).toBe(String(4 * 2 ** 30));

    // A process inside, as a container would be: in a group of its own.
    await tree.ensure(`${root}/kubepods/podua/c1`);
    const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
    const ended = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)));
    for (const controller of ['memory', 'pids']) {
      await writeFile(join(mount(controller), root, 'kubepods/podua/c1/cgroup.procs'), String(child.pid));
    }
    expect((await cgroups.usage(guaranteed))?.pids).toBe(1);
    await cgroups.remove('ua');
    expect(await ended).toBe('SIGKILL');
    expect(await cgroups.usage(guaranteed)).toBeUndefined();

    const next = newPodCgroups(tree, root, -1); // After a crash: nobody remembers the other one.
    await next.sweep((uid) => uid !== 'ub');
    expect(await tree.children(`${root}/kubepods/burstable`)).toEqual(new Set());
  });

  test('a group that is there keeps its limits: a change of them may be under way', async () => {
    const amounts = { cpu: '500m', memory: '64Mi' };
    const pod = makePod('Guaranteed', { containers: [container(amounts, amounts)] }, 'uc');
    const before = newPodCgroups(tree, root, -1);
    await before.ensure(pod);
    await before.limit(pod, { memoryBytes: 128 * 2 ** 20 });
    await newPodCgroups(tree, root, -1).ensure(pod);
    expect(await read('memory', 'poduc', first ? 'memory.limit_in_bytes' : 'memory.max')).toBe(String(128 * 2 ** 20));
    await before.remove('uc');
  });

  test('groups above that somebody took away are made again', async () => {
    expect(await tree.ensure(`${root}/above/x/y`)).toBe(true);
    expect(await tree.ensure(`${root}/above/x/y`)).toBe(false);
    expect(await tree.has(`${root}/above/x/y`)).toBe(true);
    await newCgroupTree(hierarchy ?? { version: 2, mounts: new Map() }, realClock).remove(`${root}/above`);
    expect(await tree.has(`${root}/above/x`)).toBe(false);
    expect(await tree.ensure(`${root}/above/x/z`)).toBe(true);
    await tree.limit(`${root}/above/x/z`, { pidsMax: 7 });
    expect((await tree.usage(`${root}/above/x/z`))?.pids).toBe(0);
    await tree.remove(`${root}/above`);
  });
});
