import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Container, Node, Pod } from '@orrery/api/core/v1';
import { silentLogger } from '@orrery/component';
import type { Runtime } from '@orrery/cri';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Allocations, isSettled, newAllocations } from '../allocation/allocations.ts';
import type { CgroupLimits } from '../cgroups/limits.ts';
import type { PodCgroups } from '../cgroups/pod-cgroups.ts';
import { podCgroupLimits } from '../cgroups/pod-limits.ts';
import { newDirectories } from '../volumes/directories.ts';
import { computePodActions } from './actions.ts';
import { emptyPodState, type PodState } from './pod-state.ts';
import { limitsThat, newResizer } from './resizer.ts';

let root: string;
const events: string[] = [];
const sink = { event: (_: unknown, type: string, reason: string, message: string) => void events.push(`${type} ${reason} ${message}`) };
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'resize-'));
  events.length = 0;
});
afterEach(() => rm(root, { recursive: true, force: true }));

const node = { status: { allocatable: { cpu: '2', memory: '1Gi', pods: '10' } } } as unknown as Node;
function makePod(generation: number, cpu: string, memory: string, extra: Partial<Container> = {}, uid = 'u'): Pod {
  const amounts = { cpu, memory };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'd', uid, generation, resourceVersion: '1', creationTimestamp: '' },
    spec: { containers: [{ name: 'c', image: 'i', resources: { requests: amounts, limits: amounts }, ...extra }] },
    status: { qosClass: 'Guaranteed' },
  };
}
const running: PodState = {
  ...emptyPodState('u'),
  sandboxes: [{ id: 's', state: 'SANDBOX_READY', network: { ip: '10.0.0.1' } }],
  containers: [{ id: 'k1', name: 'c', phase: 'running', hash: '' } as unknown as PodState['containers'][number]],
};

interface Fakes {
  readonly steps: string[];
  readonly runtime: Runtime;
  readonly cgroups: PodCgroups;
}
function fakes(usedBytes: number): Fakes {
  const steps: string[] = [];
  const runtime = {
    async updateContainerResources({ containerId, linux }: { containerId?: string; linux?: { memoryLimitInBytes?: number } }) {
      steps.push(`container ${containerId} memory ${linux?.memoryLimitInBytes}`);
      return {};
    },
    listContainerStats: async () => ({ stats: [{ attributes: { id: 'k1' }, memory: { usageBytes: { value: usedBytes } } }] }),
  } as unknown as Runtime;
  const cgroups = {
    limitsOf: (pod: Pod) => podCgroupLimits(pod, -1),
    limit: async (_: Pod, limits: CgroupLimits) => void steps.push(`pod ${JSON.stringify(limits)}`),
    usage: async () => ({ memoryBytes: usedBytes, workingSetBytes: usedBytes, pids: 1 }),
  } as unknown as PodCgroups;
  return { steps, runtime, cgroups };
}
const MI = 2 ** 20;
const fresh = (): Allocations => newAllocations(newDirectories(root, join(root, 'logs')), sink, silentLogger);
const facts = { memoryBytes: 2 ** 30, cgroupVersion: 1 as const };

function granted(allocations: Allocations, pod: Pod): void {
  allocations.admit(pod);
  allocations.setActuated('u', 'c', pod.spec.containers[0]?.resources);
}

describe('resize', () => {
  test('grows the pod before the container, and tells it from start to end', async () => {
    const allocations = fresh();
    granted(allocations, makePod(1, '500m', '64Mi'));
    const wanted = makePod(2, '1', '128Mi');
    expect(allocations.consider(wanted, node, [])).toBe(true);
    allocations.settle(wanted, isSettled(allocations, wanted, new Set(['c'])));
    expect(allocations.resizeState('u')).toEqual({ progress: { generation: 2 } });
    const { steps, ...parts } = fakes(10 * MI);
    await newResizer({ ...parts, allocations, facts }).apply(allocations.allocated(wanted), running);
    expect(steps).toEqual([
      `pod ${JSON.stringify({ memoryBytes: 128 * MI, cpuQuotaUs: 100_000, cpuShares: 1024 })}`,
      `container k1 memory ${128 * MI}`,
    ]);
    allocations.settle(wanted, isSettled(allocations, wanted, new Set(['c'])));
    expect(allocations.resizeState('u')).toEqual({});
    const resources = '{"limits":{"cpu":"1","memory":"128Mi"},"requests":{"cpu":"1","memory":"128Mi"}}';
    expect(events).toEqual([
      `Normal ResizeStarted Pod resize started: {"containers":[{"name":"c","resources":${resources}}],"generation":2}`,
      `Normal ResizeCompleted Pod resize completed: {"containers":[{"name":"c","resources":${resources}}],"generation":2}`,
    ]);
  });

  test('shrinks the pod after the container', async () => {
    const allocations = fresh();
    granted(allocations, makePod(1, '1', '128Mi'));
    const wanted = makePod(2, '500m', '64Mi');
    allocations.consider(wanted, node, []);
    const { steps, ...parts } = fakes(10 * MI);
    await newResizer({ ...parts, allocations, facts }).apply(wanted, running);
    expect(steps.map((step) => step.split(' ')[0])).toEqual(['container', 'pod']);
  });

  test('does not cut memory below what is used', async () => {
    const allocations = fresh();
    granted(allocations, makePod(1, '1', '128Mi'));
    const wanted = makePod(2, '1', '64Mi');
    allocations.consider(wanted, node, []);
    const { steps, ...parts } = fakes(100 * MI);
    await expect(newResizer({ ...parts, allocations, facts }).apply(wanted, running)).rejects.toThrow(
      `cannot decrease memory limits: [attempting to set pod memory limit (${64 * MI}) below current usage (${100 * MI}), ` +
        `attempting to set container "c" memory limit (${64 * MI}) below current usage (${100 * MI})]`,
    );
    expect(steps).toEqual([]);
  });

  test('restarts the container where its policy says so', () => {
    const allocations = fresh();
    const policy = { resizePolicy: [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }] };
    granted(allocations, makePod(1, '1', '64Mi', policy));
    const { runtime, cgroups } = fakes(0);
    const resizer = newResizer({ runtime, cgroups, allocations, facts });
    const actions = (pod: Pod) => {
      allocations.consider(pod, node, []);
      const verdicts = { liveness: () => undefined, startup: () => undefined };
      return computePodActions(pod, running, verdicts, (container) => resizer.needsRestart(pod, container));
    };
    expect(actions(makePod(2, '2', '64Mi', policy)).kill).toEqual([]);
    const { kill, start } = actions(makePod(3, '2', '128Mi', policy));
    expect(kill.map(({ message }) => message)).toEqual(['Container c resize requires restart']);
    expect(start).toEqual([0]);
  });
});

describe('consider', () => {
  test('what the node never has is infeasible', () => {
    const allocations = fresh();
    granted(allocations, makePod(1, '1', '64Mi'));
    const wanted = makePod(2, '3', '64Mi');
    allocations.consider(wanted, node, []);
    const message = "Node didn't have enough capacity: cpu, requested: 3000, capacity: 2000";
    expect(allocations.resizeState('u')).toEqual({ pending: { reason: 'Infeasible', message, generation: 2 } });
    expect(allocations.allocated(wanted).spec.containers[0]?.resources?.requests).toEqual({ cpu: '1', memory: '64Mi' });
    expect(events[0]).toContain('Warning ResizeInfeasible Pod resize Infeasible: {');
    expect(allocations.deferred()).toEqual([]);
  });

  test('what others have is deferred until they give it back', () => {
    const allocations = fresh();
    granted(allocations, makePod(1, '1', '64Mi'));
    const other = makePod(1, '1', '64Mi', {}, 'v');
    allocations.admit(other);
    const wanted = makePod(2, '1500m', '64Mi');
    allocations.consider(wanted, node, [other]);
    const message = "Node didn't have enough resource: cpu, requested: 1500, used: 1000, capacity: 2000";
    expect(allocations.resizeState('u')).toEqual({ pending: { reason: 'Deferred', message, generation: 2 } });
    expect(allocations.deferred()).toEqual(['u']);
    expect(allocations.consider(wanted, node, [])).toBe(true);
    expect(allocations.deferred()).toEqual([]);
  });

  test('a wish taken back is no longer pending', () => {
    const allocations = fresh();
    const first = makePod(1, '1', '64Mi');
    granted(allocations, first);
    allocations.consider(makePod(2, '3', '64Mi'), node, []);
    expect(allocations.consider(makePod(3, '1', '64Mi'), node, [])).toBe(true);
    expect(allocations.resizeState('u')).toEqual({});
  });

  test('what was granted outlives the kubelet', async () => {
    const before = fresh();
    granted(before, makePod(1, '1', '64Mi'));
    await before.persist('u');
    const after = fresh();
    await after.load();
    const wanted = makePod(2, '3', '64Mi');
    after.admit(wanted);
    expect(after.allocated(wanted).spec.containers[0]?.resources?.limits).toEqual({ cpu: '1', memory: '64Mi' });
    expect(after.actuatedResources('u', 'c')).toEqual(makePod(1, '1', '64Mi').spec.containers[0]?.resources);
  });
});

test('limitsThat: no limit is the highest', () => {
  expect(limitsThat('grow', { memoryBytes: 5 }, { memoryBytes: -1 })).toEqual({ memoryBytes: -1 });
  expect(limitsThat('shrink', { memoryBytes: -1, cpuShares: 2 }, { memoryBytes: 5, cpuShares: 2 })).toEqual({ memoryBytes: 5 });
});
