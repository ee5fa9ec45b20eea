import { existsSync } from 'node:fs';
import { access, constants, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pods } from '@orrery/api';
import type { Container, Pod, PodSpec } from '@orrery/api/core/v1';
import { realClock, systemRandom } from '@orrery/base';
import { silentLogger } from '@orrery/component';
import type { PodNetwork } from '@orrery/cri';
import { findOciRuntime, type OciRuntime, openImageStore, openOciRuntime } from '@orrery/cri-oci';
import { busyboxImage, testImage } from '@orrery/cri-oci/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readHierarchy } from './cgroups/hierarchy.ts';
import { newCgroupTree } from './cgroups/tree.ts';
import { nodeAddresses } from './config.ts';
import { newImageGc } from './eviction/image-gc.ts';
import { newKubelet } from './kubelet.ts';
import { type MemoryApi, newMemoryApi } from './testing/memory-api.ts';

const image = 'orrery.test/busybox:1';
const instanceId = `k${process.pid}`;
const cgroupRoot = `/orrery-test-${process.pid}`;
const { runtimes, problems } = await findOciRuntime(process.env['PATH'], 'runc');
const hierarchy = await readHierarchy();
const writable = async (): Promise<boolean> => {
  const checks = [...(hierarchy?.mounts.values() ?? [])].map((mount) => access(mount, constants.W_OK));
  return await Promise.all(checks).then(
    () => checks.length > 0,
    () => false,
  );
};
const usable = process.geteuid?.() === 0 && runtimes.length > 0 && problems.length === 0 && (await writable());

/** Every pod here is on the host's network. */
const noNetwork: PodNetwork = {
  attach: () => Promise.reject(new Error('no pod of this test has a network')),
  detach: async () => {},
  retain: async () => {},
  problem: () => undefined,
};

describe.skipIf(!usable)('a pod of real containers', () => {
  let root = '';
  let api: MemoryApi;
  let runtime: OciRuntime;
  let images: Awaited<ReturnType<typeof openImageStore>>;
  let running: Promise<void> | undefined;
  const stop = new AbortController();
  const events: string[] = [];
  const version = hierarchy?.version ?? 2;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'kubelet-oci-'));
    api = newMemoryApi(realClock);
    images = await openImageStore({ directory: join(root, 'images'), clock: realClock, random: systemRandom });
    await images.load(Readable.from([busyboxImage().archive(image)]));
    runtime = await openOciRuntime({
      directory: join(root, 'oci'),
      clock: realClock,
      random: systemRandom,
      instanceId,
      network: noNetwork,
      images,
      ociRuntime: 'runc',
      environment: process.env,
    });
    const kubelet = newKubelet({
      client: api.client,
      runtime,
      clock: realClock,
      random: systemRandom,
      log: silentLogger,
      events: { event: (_, type, reason, message) => void events.push(`${type} ${reason} ${message}`) },
      nodeName: 'n1',
      addresses: nodeAddresses('127.0.0.1', 'n1'),
      rootDirectory: join(root, 'kubelet'),
      config: { cgroupRoot, podPidsLimit: 40 },
    });
    running = kubelet.run(stop.signal);
  });
  afterAll(async () => {
    stop.abort();
    await running;
    for (const { id = '' } of (await runtime.listPodSandbox({})).items ?? []) {
      await runtime.stopPodSandbox({ podSandboxId: id });
      await runtime.removePodSandbox({ podSandboxId: id });
    }
    await runtime.close();
    if (hierarchy !== undefined) await newCgroupTree(hierarchy, realClock).remove(cgroupRoot);
    await rm(root, { recursive: true, force: true });
  });

  const getPod = (name: string): Pod | undefined => api.get<Pod>('pods', name);
  async function until<T>(what: string, look: () => T | undefined | false): Promise<T> {
    for (let attempts = 0; attempts < 3000; attempts += 1) {
      const found = look();
      if (found !== undefined && found !== false) return found;
      await realClock.sleep(10);
    }
    throw new Error(`did not come: ${what}\n${events.join('\n')}`);
  }
  async function create(name: string, script: string, container: Partial<Container>, qosClass: string): Promise<void> {
    const spec = {
      nodeName: 'n1',
      hostNetwork: true,
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'c', image, command: ['/bin/sh', '-c', script], ...container }],
    } as unknown as PodSpec;
    await api.client.create(pods, { metadata: { name, namespace: 'default' }, spec, status: { qosClass } } as never);
  }
  const inGroup = (controller: string, group: string, file: string): string =>
    join(hierarchy?.mounts.get(version === 2 ? '' : controller) ?? '', cgroupRoot, 'kubepods', group, file);
  const memoryFile = version === 1 ? 'memory.limit_in_bytes' : 'memory.max';
  const limitOf = async (group: string): Promise<string> => (await readFile(inGroup('memory', group, memoryFile), 'utf8')).trim();
  const terminated = (name: string) => getPod(name)?.status?.containerStatuses?.[0]?.state?.terminated;
  async function remove(name: string): Promise<void> {
    await api.client.delete(pods, { namespace: 'default', name });
    await until('gone', () => getPod(name) === undefined);
  }

  test('is limited as a whole, resized in place, and leaves no group', async () => {
    const amounts = { cpu: '200m', memory: '64Mi' };
    await create('sized', 'exec sleep 1000', { resources: { requests: amounts, limits: amounts } }, 'Guaranteed');
    await until('running', () => getPod('sized')?.status?.phase === 'Running');
    const group = `pod${getPod('sized')?.metadata.uid}`;
    expect(await limitOf(group)).toBe(String(64 * 2 ** 20));
    const more = { cpu: '400m', memory: '96Mi' };
    const spec = { containers: [{ name: 'c', resources: { requests: more, limits: more } }] };
    await api.client.patch(pods, { namespace: 'default', name: 'sized' }, 'strategic', { spec });
    await until('resized', () => events.some((event) => event.startsWith('Normal ResizeCompleted')));
    expect(await limitOf(group)).toBe(String(96 * 2 ** 20));
    const [status] = getPod('sized')?.status?.containerStatuses ?? [];
    expect(await limitOf(`${group}/${status?.containerID?.split('://')[1]}`)).toBe(String(96 * 2 ** 20));
    expect(status?.restartCount).toBe(0);
    await remove('sized');
    await until('no group', () => !existsSync(inGroup('memory', group, '')));
  });

  test('that takes more memory than it may is killed, and says so', async () => {
    const limits = { memory: '16Mi' };
    await create('greedy', 'x=a; while :; do x=$x$x; done', { resources: { requests: limits, limits } }, 'Burstable');
    const ended = await until('ended', () => terminated('greedy'));
    expect(ended).toMatchObject({ reason: 'OOMKilled', exitCode: 137 });
    expect(getPod('greedy')?.status?.phase).toBe('Failed');
    await remove('greedy');
  });

  test('that forks without end stops at the limit of its processes', async () => {
    await create('bomb', 'i=0; while [ $i -lt 100 ]; do sleep 30 & i=$((i+1)); done; wait', {}, 'BestEffort');
    const ended = await until('ended', () => terminated('bomb'));
    expect(ended.exitCode).not.toBe(0); // The shell gives up where it cannot fork.
    await remove('bomb');
  });

  test('keeps its image when the disk is full; of those that nothing uses as many go as it takes', async () => {
    const extra = ['orrery.test/old:1', 'orrery.test/new:1'];
    if (getPod('uses') !== undefined) await remove('uses');
    await images.load(Readable.from([busyboxImage().archive(image)]));
    for (const [at, name] of extra.entries()) {
      await images.load(Readable.from([testImage([[{ name: 'file', content: `${at}`.repeat(100_000) }]]).archive(name)]));
    }
    await create('uses', 'exec sleep 1000', {}, 'BestEffort');
    await until('running', () => getPod('uses')?.status?.phase === 'Running');
    const told: string[] = [];
    const gc = newImageGc({
      runtime,
      clock: realClock,
      log: silentLogger,
      events: { event: (_, type, reason, message) => void told.push(`${type} ${reason} ${message}`) },
      node: { kind: 'Node', name: 'n1' },
      limits: { highPercent: 90, lowPercent: 80, minAgeMs: 0 },
    });
    const names = async (): Promise<readonly string[]> =>
      ((await runtime.listImages({})).images ?? []).flatMap(({ repoTags = [] }) => repoTags).sort();
    const disk = (capacity: number, available: number) => ({ capacity, available, time: 0 });
    await gc.collect(disk(1_000_000, 500_000));
    expect(await names()).toEqual([image, ...extra].sort());
    await gc.collect(disk(1_000_000, 150_000)); // Above the lower limit only: nothing to do yet.
    expect(await names()).toHaveLength(3);
    await gc.collect(disk(500_000, 40_000)); // One of the two is enough.
    expect(told).toEqual([]);
    expect(await names()).toHaveLength(2);
    expect(await names()).toContain(image);
    await gc.collect(disk(500_000_000, 0));
    expect(await names()).toEqual([image]);
    expect(told).toEqual([
      expect.stringMatching(
        /^Warning FreeDiskSpaceFailed Failed to garbage collect required amount of images\. Attempted to free 100000000 bytes, but only found 1\d{5} bytes eligible to free\.$/,
      ),
    ]);
    await remove('uses');
    let freed = 0; // Containers go some time after their pod.
    for (let attempts = 0; attempts < 600 && freed === 0; attempts += 1) {
      freed = await gc.removeUnused();
      if (freed === 0) await realClock.sleep(50);
    }
    expect(freed).toBeGreaterThan(1_000_000);
    expect(await names()).toEqual([]);
  });
});
