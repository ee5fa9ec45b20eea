import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pods } from '@orrery/api';
import type { Node, Pod, PodSpec } from '@orrery/api/core/v1';
import { newSeededRandom, newVirtualClock, nextTurn, type VirtualClock } from '@orrery/base';
import { silentLogger } from '@orrery/component';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { nodeAddresses } from './config.ts';
import { type HollowRuntime, newHollowRuntime } from './hollow/hollow-runtime.ts';
import { newKubelet } from './kubelet.ts';
import { type MemoryApi, newMemoryApi } from './testing/memory-api.ts';

interface Told {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
}

let clock: VirtualClock;
let api: MemoryApi;
let runtime: HollowRuntime;
let root = '';
let events: Told[] = [];
let stop = new AbortController();
let running: Promise<void> | undefined;

function start(): void {
  stop = new AbortController();
  const kubelet = newKubelet({
    client: api.client,
    runtime,
    clock,
    random: newSeededRandom(1),
    log: silentLogger,
    events: { event: (_, type, reason, message) => events.push({ type, reason, message }) },
    nodeName: 'n1',
    addresses: nodeAddresses('192.0.2.1', 'n1'),
    rootDirectory: root,
  });
  running = kubelet.run(stop.signal);
}

async function halt(): Promise<void> {
  stop.abort();
  await running;
}

beforeEach(async () => {
  clock = newVirtualClock();
  api = newMemoryApi(clock);
  runtime = newHollowRuntime({ clock });
  root = await mkdtemp(join(tmpdir(), 'orrery-kubelet-'));
  events = [];
  start();
});
afterEach(async () => {
  await halt();
  await rm(root, { recursive: true, force: true });
});

const getPod = (name: string): Pod | undefined => api.get<Pod>('pods', name);

async function create(name: string, spec: Partial<PodSpec> = {}): Promise<Pod> {
  const full = { nodeName: 'n1', containers: [{ name: 'c', image: 'busybox:1' }], restartPolicy: 'Always', ...spec };
  return await api.client.create(pods, { metadata: { name, namespace: 'default' }, spec: full as PodSpec });
}

/** Moves time in small steps: file system work needs turns of the real event loop too. */
async function until(what: string, condition: () => boolean, withinMs = 120_000): Promise<void> {
  for (let elapsedMs = 0; elapsedMs < withinMs; elapsedMs += 50) {
    for (let turn = 0; turn < 200; turn += 1) {
      if (condition()) return;
      await nextTurn();
    }
    await clock.advance(50);
  }
  throw new Error(`not within ${withinMs} ms: ${what}`);
}

const condition = (pod: Pod | undefined, type: string): string | undefined =>
  pod?.status?.conditions?.find((candidate) => candidate.type === type)?.status;
const runId = (name: string): string => (getPod(name)?.status?.containerStatuses?.[0]?.containerID ?? '').split('://')[1] ?? '';

describe('the node', () => {
  test('registers, is ready, and renews its lease', async () => {
    await until('ready', () => api.get<Node>('nodes', 'n1')?.status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True');
    const node = api.get<Node>('nodes', 'n1');
    expect(node?.metadata.labels).toMatchObject({ 'kubernetes.io/hostname': 'n1', 'kubernetes.io/os': 'linux' });
    expect(node?.status?.allocatable?.['pods']).toBe('110');
    expect(node?.status?.nodeInfo?.containerRuntimeVersion).toBe('hollow://1.0.0');
    const renewals = (): number => (api.calls.get('update leases') ?? 0) + (api.calls.get('create leases') ?? 0);
    await until('three renewals', () => renewals() >= 3);
  });

  test('makes extended resources allocatable and keeps them', async () => {
    await until('registered', () => api.get('nodes', 'n1') !== undefined);
    const { nodes } = await import('@orrery/api');
    await api.client.patch(
      nodes,
      { name: 'n1' },
      'strategic',
      { status: { capacity: { 'example.com/gpu': '4' } } },
      { subresource: 'status' },
    );
    await until('allocatable', () => api.get<Node>('nodes', 'n1')?.status?.allocatable?.['example.com/gpu'] === '4');
  });
});

describe('a pod', () => {
  test('runs, is ready, and is deleted', async () => {
    await create('p');
    await until('running', () => getPod('p')?.status?.phase === 'Running');
    const pod = getPod('p');
    expect(
      ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) => condition(pod, type)),
    ).toEqual(Array(5).fill('True'));
    expect(pod?.status?.podIP).toMatch(/^10\.244\./);
    expect(pod?.status).toMatchObject({ hostIP: '192.0.2.1', observedGeneration: 1 });
    expect(pod?.status?.containerStatuses?.[0]).toMatchObject({ name: 'c', ready: true, started: true, restartCount: 0 });
    expect(events.filter(({ reason }) => ['Pulled', 'Created', 'Started'].includes(reason)).map(({ message }) => message)).toEqual([
      'Container image "busybox:1" already present on machine and can be accessed by the pod',
      'Container created',
      'Container started',
    ]);
    expect(api.calls.get('patch pods/status')).toBeLessThanOrEqual(2); // Pending is written only where the way to Running takes long.

    await api.client.delete(pods, { namespace: 'default', name: 'p' });
    await until('gone', () => getPod('p') === undefined);
    await until('cleaned', () => events.some(({ message }) => message === 'Stopping container c'));
    await until('no directory', () => true);
    const left = async () => [...(await readdir(join(root, 'pods'))), ...(await readdir(join(root, 'pod-logs')))];
    for (let turn = 0; turn < 50_000 && (await left()).length > 0; turn += 1) await nextTurn();
    expect(await left()).toEqual([]);
    expect((await runtime.listPodSandbox({})).items).toEqual([]);
  });

  test('that ends well with OnFailure succeeds, and its end is told', async () => {
    await create('p', { restartPolicy: 'OnFailure' });
    await until('running', () => getPod('p')?.status?.phase === 'Running');
    runtime.exit(runId('p'), 0);
    await until('succeeded', () => getPod('p')?.status?.phase === 'Succeeded');
    expect(getPod('p')?.status?.containerStatuses?.[0]?.state?.terminated).toMatchObject({ exitCode: 0, reason: 'Completed' });
    expect(getPod('p')?.status?.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
      status: 'False',
      reason: 'PodCompleted',
    });
  });

  test('that fails with Never fails', async () => {
    await create('p', { restartPolicy: 'Never' });
    await until('running', () => getPod('p')?.status?.phase === 'Running');
    runtime.exit(runId('p'), 3);
    await until('failed', () => getPod('p')?.status?.phase === 'Failed');
  });

  test('restarts at once the first time, then backs off', async () => {
    await create('p');
    await until('running', () => getPod('p')?.status?.phase === 'Running');
    runtime.exit(runId('p'), 1);
    await until('restarted', () => getPod('p')?.status?.containerStatuses?.[0]?.restartCount === 1 && runId('p') !== '');
    expect(getPod('p')?.status?.containerStatuses?.[0]?.lastState?.terminated).toMatchObject({ exitCode: 1, reason: 'Error' });
    const before = clock.now();
    runtime.exit(runId('p'), 1);
    await until('waiting', () => getPod('p')?.status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CrashLoopBackOff');
    expect(getPod('p')?.status?.containerStatuses?.[0]?.state?.waiting?.message).toMatch(
      /^back-off 10s restarting failed container=c pod=p_default\(/,
    );
    expect(getPod('p')?.status?.phase).toBe('Running');
    await until('restarted again', () => getPod('p')?.status?.containerStatuses?.[0]?.restartCount === 2);
    expect(clock.now() - before).toBeGreaterThanOrEqual(10_000);
    expect(
      events.some(({ reason, message }) => reason === 'BackOff' && message.startsWith('Back-off restarting failed container c in pod p_')),
    ).toBe(true);
  });

  test('runs its init containers in order, then sidecars beside the main container', async () => {
    await create('p', {
      initContainers: [
        { name: 'i1', image: 'a' },
        { name: 's', image: 'b', restartPolicy: 'Always' },
        { name: 'i2', image: 'c' },
      ],
    });
    const init = (name: string) => getPod('p')?.status?.initContainerStatuses?.find((status) => status.name === name);
    const idOf = (name: string): string => init(name)?.containerID?.split('://')[1] ?? '';
    await until('i1 runs', () => init('i1')?.state?.running !== undefined);
    expect(init('s')?.state?.waiting?.reason).toBe('PodInitializing');
    runtime.exit(idOf('i1'), 0);
    await until('i2 runs', () => init('i2')?.state?.running !== undefined);
    expect(init('s')).toMatchObject({ started: true, ready: true });
    expect(getPod('p')?.status?.phase).toBe('Pending');
    runtime.exit(idOf('i2'), 0);
    await until('running', () => getPod('p')?.status?.phase === 'Running');
    expect(condition(getPod('p'), 'Initialized')).toBe('True');
  });

  test('is adopted by the next kubelet, and ended when it was deleted meanwhile', async () => {
    await create('keep');
    await create('drop');
    await until('both run', () => ['keep', 'drop'].every((name) => getPod(name)?.status?.phase === 'Running'));
    const before = runId('keep');
    await halt();
    await api.client.delete(pods, { namespace: 'default', name: 'drop' }, { gracePeriodSeconds: 0 });
    start();
    await until('one sandbox left', () => events.filter(({ reason }) => reason === 'Starting').length === 2);
    for (let round = 0; round < 5000 && ((await runtime.listPodSandbox({})).items ?? []).length > 1; round += 1) await clock.advance(100);
    expect((await runtime.listPodSandbox({})).items?.length).toBe(1);
    expect(runId('keep')).toBe(before);
    expect(events.filter(({ reason }) => reason === 'Started').length).toBe(2);
  });

  test('that does not fit is rejected', async () => {
    const resources = { requests: { cpu: '100000' } };
    await create('p', { containers: [{ name: 'c', image: 'busybox', resources }] });
    await until('failed', () => getPod('p')?.status?.phase === 'Failed');
    expect(getPod('p')?.status?.reason).toBe('OutOfcpu');
    expect(getPod('p')?.status?.message).toMatch(
      /^Pod was rejected: Node didn't have enough resource: cpu, requested: 100000000, used: 0, capacity: /,
    );
  });

  test('ends at its active deadline', async () => {
    await create('p', { activeDeadlineSeconds: 5 });
    await until('failed', () => getPod('p')?.status?.phase === 'Failed');
    expect(getPod('p')?.status).toMatchObject({
      reason: 'DeadlineExceeded',
      message: 'Pod was active on the node longer than the specified deadline',
    });
  });

  test('waits for a ConfigMap that its environment needs', async () => {
    const env = [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'cm', key: 'k' } } }];
    await create('p', { containers: [{ name: 'c', image: 'busybox', env }] });
    await until('waiting', () => getPod('p')?.status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CreateContainerConfigError');
    expect(getPod('p')?.status?.containerStatuses?.[0]?.state?.waiting?.message).toBe('configmap "cm" not found');
    const { configMaps } = await import('@orrery/api');
    await api.client.create(configMaps, { metadata: { name: 'cm', namespace: 'default' }, data: { k: 'v' } } as never);
    await until('running', () => getPod('p')?.status?.phase === 'Running');
  });
});

describe('a resize', () => {
  const sized = (cpu: string): PodSpec['containers'] => [
    { name: 'c', image: 'busybox:1', resources: { requests: { cpu }, limits: { cpu } } },
  ];
  const status = (name: string) => getPod(name)?.status?.containerStatuses?.[0];
  const resize = async (name: string, cpu: string): Promise<void> => {
    const spec = { containers: [{ name: 'c', resources: { requests: { cpu }, limits: { cpu } } }] };
    await api.client.patch(pods, { namespace: 'default', name }, 'strategic', { spec });
  };

  test('in place: the container goes on with its new resources', async () => {
    const asked: unknown[] = [];
    const update = runtime.updateContainerResources;
    runtime.updateContainerResources = (request) => {
      asked.push(request.linux?.cpuQuota);
      return update(request);
    };
    await create('r', { containers: sized('100m') });
    await until('running', () => condition(getPod('r'), 'Ready') === 'True');
    expect(status('r')?.allocatedResources).toEqual({ cpu: '100m' });
    const before = runId('r');
    await resize('r', '200m');
    await until('resized', () => status('r')?.resources?.limits?.['cpu'] === '200m');
    expect(asked).toEqual([20_000]);
    expect(status('r')).toMatchObject({ allocatedResources: { cpu: '200m' }, restartCount: 0 });
    expect(runId('r')).toBe(before);
    expect(events.map(({ reason }) => reason)).toEqual(expect.arrayContaining(['ResizeStarted', 'ResizeCompleted']));
    await until('told', () => condition(getPod('r'), 'PodResizeInProgress') === undefined);
  });

  test('that the node can never grant is infeasible, until it is taken back', async () => {
    await create('r', { containers: sized('100m') });
    await until('running', () => condition(getPod('r'), 'Ready') === 'True');
    await resize('r', '100000');
    await until('pending', () => condition(getPod('r'), 'PodResizePending') === 'True');
    expect(getPod('r')?.status?.conditions?.find(({ type }) => type === 'PodResizePending')?.reason).toBe('Infeasible');
    expect(status('r')?.allocatedResources).toEqual({ cpu: '100m' });
    await resize('r', '100m');
    await until('taken back', () => condition(getPod('r'), 'PodResizePending') === undefined);
  });
});

describe('an eviction', () => {
  test('ends the pod, which has then failed for the node’s sake', async () => {
    await create('e', { volumes: [{ name: 'v', emptyDir: { sizeLimit: '1Ki' } }] });
    await until('running', () => condition(getPod('e'), 'Ready') === 'True');
    const uid = getPod('e')?.metadata.uid ?? '';
    const volume = join(root, 'pods', uid, 'volumes/kubernetes.io~empty-dir/v');
    await writeFile(join(volume, 'big'), Buffer.alloc(64 * 1024));
    await until('failed', () => getPod('e')?.status?.phase === 'Failed');
    expect(getPod('e')?.status).toMatchObject({
      reason: 'Evicted',
      message: 'Usage of EmptyDir volume "v" exceeds the limit "1Ki". ',
    });
    expect(events).toContainEqual({
      type: 'Warning',
      reason: 'Evicted',
      message: 'Usage of EmptyDir volume "v" exceeds the limit "1Ki". ',
    });
    expect(condition(getPod('e'), 'DisruptionTarget')).toBeUndefined();
  });
});
