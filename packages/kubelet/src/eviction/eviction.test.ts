import { link, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pod, PodSpec } from '@orrery/api/core/v1';
import { newVirtualClock } from '@orrery/base';
import { silentLogger } from '@orrery/component';
import type { Runtime } from '@orrery/cri';
import { describe, expect, test } from 'vitest';
import { diskUsage, noUsage } from './disk-usage.ts';
import { type EvictionOrder, type EvictorOptions, newEvictor } from './evictor.ts';
import { newImageGc } from './image-gc.ts';
import { localStorageProblem } from './messages.ts';
import type { PodUsage } from './pod-usage.ts';
import { rank } from './ranking.ts';
import { amountOf, isCrossed, type Observations, type Signal, thresholdsOf } from './thresholds.ts';

const MI = 2 ** 20;
function makePod(name: string, memory = '0', spec: Partial<PodSpec> = {}, qosClass = 'Burstable'): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'd', uid: name, resourceVersion: '1', creationTimestamp: '' },
    spec: { containers: [{ name: 'c', resources: { requests: { memory } } }], ...spec },
    status: { qosClass },
  };
}
const makeUsage = (pod: Pod, memoryMi: number, extra: Partial<PodUsage> = {}): PodUsage => ({
  pod,
  memoryBytes: memoryMi * MI,
  pids: 1,
  disk: noUsage,
  containers: [{ name: 'c', memoryBytes: memoryMi * MI, disk: noUsage }],
  emptyDirs: new Map(),
  ...extra,
});

describe('thresholds', () => {
  const config = { evictionHard: { 'nodefs.available': '10%' }, evictionSoft: {}, evictionSoftGraceMs: {}, evictionMinimumReclaim: {} };
  test('are shares or amounts', () => {
    expect(amountOf('10%', 1050)).toBe(105);
    expect(amountOf('1Ki', 5)).toBe(1024);
  });
  const disk = (available: number): Observations => ({ 'nodefs.available': { available, capacity: 1000 } });
  const [plain] = thresholdsOf(config);
  const [reclaiming] = thresholdsOf({ ...config, evictionMinimumReclaim: { 'nodefs.available': '50' } });
  test('are crossed below, and left only above what must be reclaimed', () => {
    if (plain === undefined || reclaiming === undefined) throw new Error('no threshold');
    expect([99, 100].map((left) => isCrossed(plain, disk(left), true))).toEqual([true, false]);
    expect([149, 150].map((left) => isCrossed(reclaiming, disk(left), true))).toEqual([true, false]);
    expect(isCrossed(plain, {}, false)).toBe(false);
  });
  test('a soft one needs a grace period', () =>
    expect(() => thresholdsOf({ ...config, evictionSoft: { 'memory.available': '1Gi' } })).toThrow('grace period must be specified'));
});

describe('rank', () => {
  const within = makeUsage(makePod('within', '100Mi'), 50);
  const above = makeUsage(makePod('above', '10Mi'), 50);
  const most = makeUsage(makePod('most', '10Mi'), 90);
  const important = makeUsage(makePod('important', '10Mi', { priority: 5 }), 900);
  const order = (signal: Signal, ...usages: PodUsage[]) => rank(signal, usages).map(({ pod }) => pod.metadata.name);
  test('memory: above the request, priority, amount', () =>
    expect(order('memory.available', within, important, above, most)).toEqual(['most', 'above', 'important', 'within']));
  test('process ids: priority, number', () =>
    expect(order('pid.available', important, { ...within, pids: 9 }, { ...above, pids: 5 })).toEqual(['within', 'above', 'important']));
});

describe('localStorageProblem', () => {
  const used = (bytes: number) => ({ bytes, inodes: 1 });
  const volume = { volumes: [{ name: 'v', emptyDir: { sizeLimit: '1Mi' } }] };
  const limited: Partial<PodSpec> = { containers: [{ name: 'c', resources: { limits: { 'ephemeral-storage': '1Mi' } } }] };
  const cases: readonly (readonly [string, PodUsage, string | undefined])[] = [
    ['within its limits', makeUsage(makePod('a', '0', volume), 0, { emptyDirs: new Map([['v', used(MI)]]) }), undefined],
    [
      'a volume',
      makeUsage(makePod('a', '0', volume), 0, { emptyDirs: new Map([['v', used(MI + 1)]]) }),
      'Usage of EmptyDir volume "v" exceeds the limit "1Mi". ',
    ],
    [
      'the pod',
      makeUsage(makePod('a', '0', limited), 0, { disk: used(2 * MI) }),
      'Pod ephemeral local storage usage exceeds the total limit of containers 1Mi. ',
    ],
    [
      'a container',
      makeUsage(makePod('a', '0', limited), 0, { containers: [{ name: 'c', memoryBytes: 0, disk: used(2 * MI) }] }),
      'Container c exceeded its local ephemeral storage limit "1Mi". ',
    ],
  ];
  for (const [name, usage, want] of cases) test(name, () => expect(localStorageProblem(usage)).toBe(want));
});

test('diskUsage counts a file once, and follows no link', async () => {
  const root = await mkdtemp(join(tmpdir(), 'du-'));
  try {
    await mkdir(join(root, 'a'));
    await writeFile(join(root, 'a/big'), Buffer.alloc(64 * 1024));
    await link(join(root, 'a/big'), join(root, 'a/again'));
    await symlink('/', join(root, 'a/out'));
    const { bytes, inodes } = await diskUsage(root);
    expect(inodes).toBe(4);
    expect(bytes).toBeGreaterThanOrEqual(64 * 1024);
    expect(bytes).toBeLessThan(128 * 1024);
    expect(await diskUsage(join(root, 'none'))).toEqual(noUsage);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});

function setUp(extra: Partial<EvictorOptions> = {}) {
  const clock = newVirtualClock();
  const told: string[] = [];
  const orders: [string, EvictionOrder][] = [];
  const state = { freeMi: 500, usages: [makeUsage(makePod('a', '10Mi'), 50)], stopped: false, reclaimed: 0, woken: 0 };
  const evictor = newEvictor({
    clock,
    log: silentLogger,
    events: { event: (_, type, reason, message) => void told.push(`${type} ${reason} ${message}`) },
    node: { kind: 'Node', name: 'n' },
    observe: async () => ({ 'memory.available': { available: state.freeMi * MI, capacity: 1000 * MI } }),
    activePods: () => state.usages.map(({ pod }) => pod),
    usage: { read: async (pods) => state.usages.filter(({ pod }) => pods.includes(pod)) },
    evict: (uid, order) => void orders.push([uid, order]),
    isStopped: () => state.stopped,
    reclaimDisk: async () => {
      state.reclaimed += 1;
    },
    evictionHard: { 'memory.available': '100Mi' },
    evictionSoft: {},
    evictionSoftGraceMs: {},
    evictionMinimumReclaim: {},
    evictionMaxPodGraceSeconds: 7,
    evictionPressureTransitionMs: 60_000,
    onPressureChange: () => {
      state.woken += 1;
    },
    ...extra,
  });
  return { clock, evictor, state, told, orders };
}

describe('the evictor', () => {
  test('leaves a healthy node alone', async () => {
    const { evictor, orders, told } = setUp();
    await evictor.round();
    expect([orders, told, [...evictor.pressures()]]).toEqual([[], [], []]);
  });

  test('evicts one pod at a time, tells why, and refuses others until the node has recovered', async () => {
    const { clock, evictor, state, told, orders } = setUp();
    state.freeMi = 90;
    state.usages.push(makeUsage(makePod('b', '10Mi'), 40));
    await evictor.round();
    const message =
      'The node was low on resource: memory. Threshold quantity: 100Mi, available: 90Mi. ' +
      'Container c was using 50Mi, request is 10Mi, has larger consumption of memory. ';
    expect(orders).toEqual([['a', { message, graceSeconds: 1, disruption: true }]]);
    expect(told).toEqual(['Warning EvictionThresholdMet Attempting to reclaim memory', `Warning Evicted ${message}`]);
    await evictor.round();
    expect(orders).toHaveLength(1); // It still runs: what it gives back may do.
    state.stopped = true;
    state.usages.shift();
    await evictor.round();
    expect(orders.map(([uid]) => uid)).toEqual(['a', 'b']);
    expect(evictor.admit(makePod('x', '0', {}, 'BestEffort'))).toEqual({
      reason: 'Evicted',
      message: 'The node had condition: [MemoryPressure]. ',
    });
    expect(evictor.admit(makePod('x', '1Mi'))).toBeUndefined();
    state.freeMi = 500;
    await clock.advance(60_000);
    await evictor.round();
    expect(evictor.pressures().has('MemoryPressure')).toBe(true);
    await clock.advance(1);
    await evictor.round();
    expect([...evictor.pressures()]).toEqual([]);
    expect(state.woken).toBe(2);
  });

  test('waits out the grace of a soft threshold, and gives the pod some time', async () => {
    const { clock, evictor, state, orders } = setUp({
      evictionHard: {},
      evictionSoft: { 'memory.available': '200Mi' },
      evictionSoftGraceMs: { 'memory.available': 30_000 },
    });
    state.freeMi = 150;
    await evictor.round();
    expect(orders).toEqual([]);
    await clock.advance(30_000);
    await evictor.round();
    expect(orders[0]?.[1].graceSeconds).toBe(7);
  });

  test('spares critical pods', async () => {
    const { evictor, state, orders } = setUp();
    state.freeMi = 1;
    state.usages = [makeUsage(makePod('a', '0', { priority: 2_000_000_000 }), 900)];
    await evictor.round();
    expect(orders).toEqual([]);
  });

  test('cleans a full disk before it evicts', async () => {
    let free = 5;
    const { evictor, orders, told } = setUp({
      evictionHard: { 'nodefs.available': '10%' },
      observe: async () => ({ 'nodefs.available': { available: free, capacity: 100 } }),
      reclaimDisk: async () => {
        free = 50;
      },
    });
    await evictor.round();
    expect(orders).toEqual([]);
    expect([...evictor.pressures()]).toEqual(['DiskPressure']);
    expect(told).toEqual(['Warning EvictionThresholdMet Attempting to reclaim ephemeral-storage']);
  });

  test('evicts pods that break their own limits, whatever the node has', async () => {
    const pod = makePod('v', '0', { volumes: [{ name: 'v', emptyDir: { sizeLimit: '1Mi' } }] });
    const { evictor, state, orders } = setUp();
    state.usages = [makeUsage(pod, 0, { emptyDirs: new Map([['v', { bytes: 2 * MI, inodes: 1 }]]) })];
    await evictor.round();
    expect(orders).toEqual([
      ['v', { message: 'Usage of EmptyDir volume "v" exceeds the limit "1Mi". ', graceSeconds: 1, disruption: false }],
    ]);
  });
});

test('images go when the disk is full: those in use and pinned ones stay', async () => {
  const clock = newVirtualClock();
  const removed: string[] = [];
  const told: string[] = [];
  const images = ['used', 'old', 'pinned'].map((id) => ({ id, repoTags: [`${id}:1`], size: 10, pinned: id === 'pinned' }));
  const runtime = {
    listImages: async () => ({ images: images.filter(({ id }) => !removed.includes(id)) }),
    listContainers: async () => ({ containers: [{ image: { image: 'used:1' } }] }),
    removeImage: async ({ image }: { image?: { image?: string } }) => void removed.push(image?.image ?? ''),
  } as unknown as Runtime;
  const events = { event: (_: unknown, type: string, reason: string, message: string) => void told.push(`${type} ${reason} ${message}`) };
  const limits = { highPercent: 90, lowPercent: 80, minAgeMs: 1000 };
  const gc = newImageGc({ runtime, clock, log: silentLogger, events, node: {}, limits });
  await gc.collect({ available: 50, capacity: 100 });
  expect(removed).toEqual([]);
  await gc.collect({ available: 5, capacity: 100 });
  expect(removed).toEqual([]); // Too young.
  await clock.advance(1000);
  await gc.collect({ available: 5, capacity: 100 });
  expect(removed).toEqual(['old']);
  expect(told[1]).toBe(
    'Warning FreeDiskSpaceFailed Failed to garbage collect required amount of images. Attempted to free 15 bytes, but only found 10 bytes eligible to free.',
  );
});
