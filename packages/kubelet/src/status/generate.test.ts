import type { Container, ContainerStatus, Pod, PodSpec, PodStatus } from '@orrery/api/core/v1';
import { describe, expect, test } from 'vitest';
import { emptyPodState, type InstancePhase, type PodState } from '../runtime/pod-state.ts';
import type { StartFailure } from './container-statuses.ts';
import { generateStatus } from './generate.ts';

const NOW = Date.UTC(2026, 0, 1);

function makePod(spec: Partial<PodSpec> = {}, status: PodStatus = {}, metadata: object = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'd', uid: 'u', generation: 2, resourceVersion: '1', creationTimestamp: '', ...metadata },
    spec: { containers: [{ name: 'c', image: 'i' }], restartPolicy: 'Always', ...spec },
    status,
  };
}

interface Run {
  readonly name?: string;
  readonly id: string;
  readonly phase: InstancePhase;
  readonly exitCode?: number;
  readonly restartCount?: number;
}

/** Newest run first. */
function makeState(...runs: readonly Run[]): PodState {
  const containers = runs.map(({ name = 'c', id, phase, exitCode = 0, restartCount = 0 }, index) => ({
    id,
    name,
    phase,
    exitCode,
    restartCount,
    createdAtMs: NOW - index,
    startedAtMs: NOW,
    finishedAtMs: phase === 'exited' ? NOW : 0,
    reason: phase === 'exited' ? (exitCode === 0 ? 'Completed' : 'Error') : '',
    message: '',
    image: 'i',
    imageId: 'i@1',
    hash: '',
    logPath: '',
    cri: {},
  }));
  const sandbox = { id: 's', state: 'SANDBOX_READY' as const, metadata: { attempt: 0 }, network: { ip: '10.0.0.1' } };
  return { uid: 'u', sandboxes: [sandbox], containers, ips: ['10.0.0.1'] };
}

function generate(
  pod: Pod,
  state: PodState,
  failures: Readonly<Record<string, StartFailure>> = {},
  extra: { terminal?: boolean; ready?: boolean } = {},
) {
  return generateStatus({
    pod,
    state,
    previous: pod.status ?? {},
    terminal: extra.terminal ?? false,
    runtimeName: 'x',
    hostIps: ['192.0.2.1'],
    nowMs: NOW,
    startFailure: (name) => failures[name],
    readiness: () => ({ started: true, ready: extra.ready ?? true }),
  });
}

const only = (status: PodStatus): ContainerStatus | undefined => status.containerStatuses?.[0];

describe('generateStatus', () => {
  test('before anything is made', () => {
    const status = generate(makePod(), emptyPodState('u'));
    expect(status).toMatchObject({ phase: 'Pending', hostIP: '192.0.2.1', startTime: '2026-01-01T00:00:00Z', observedGeneration: 2 });
    expect(only(status)?.state).toEqual({ waiting: { reason: 'ContainerCreating' } });
    expect(
      status.conditions?.map(({ type, status: value, reason = '', message = '' }) => `${type} ${value} ${reason} ${message}`.trim()),
    ).toEqual([
      'PodReadyToStartContainers False',
      'Initialized True',
      'Ready False ContainersNotReady containers with unready status: [c]',
      'ContainersReady False ContainersNotReady containers with unready status: [c]',
      'PodScheduled True',
    ]);
  });

  test('running', () => {
    const status = generate(makePod(), makeState({ id: 'a', phase: 'running' }));
    expect(status).toMatchObject({ phase: 'Running', podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }] });
    expect(only(status)).toMatchObject({ containerID: 'x://a', imageID: 'i@1', ready: true, started: true, state: { running: {} } });
  });

  test('running but not ready', () => {
    const status = generate(makePod(), makeState({ id: 'a', phase: 'running' }), {}, { ready: false });
    expect(status.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({ status: 'False', reason: 'ContainersNotReady' });
  });

  test('restarted: the run before is the last state', () => {
    const status = generate(
      makePod(),
      makeState({ id: 'b', phase: 'running', restartCount: 1 }, { id: 'a', phase: 'exited', exitCode: 2 }),
    );
    expect(only(status)).toMatchObject({ restartCount: 1, lastState: { terminated: { exitCode: 2, containerID: 'x://a' } } });
  });

  test('backing off: waiting, and the end is the last state', () => {
    const failure = { c: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } };
    const status = generate(makePod(), makeState({ id: 'a', phase: 'exited', exitCode: 2 }), failure);
    expect(status.phase).toBe('Running');
    expect(only(status)).toMatchObject({
      state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } },
      lastState: { terminated: { exitCode: 2 } },
    });
  });

  test('an old failure is not shown once the container will not start again', () => {
    const failure = { c: { reason: 'CrashLoopBackOff', message: '' } };
    const status = generate(makePod({ restartPolicy: 'Never' }), makeState({ id: 'a', phase: 'exited', exitCode: 2 }), failure);
    expect(only(status)?.state?.terminated?.exitCode).toBe(2);
    expect(status.phase).toBe('Failed');
  });

  test('the runtime lost a container that ran', () => {
    const before: ContainerStatus = {
      name: 'c',
      state: { running: {} },
      ready: true,
      restartCount: 3,
      image: 'i',
      imageID: '',
      containerID: 'x://a',
    };
    const status = generate(makePod({}, { phase: 'Running', containerStatuses: [before] }), makeState());
    expect(only(status)).toMatchObject({
      restartCount: 4,
      lastState: { terminated: { reason: 'ContainerStatusUnknown', exitCode: 137 } },
    });
  });

  test('an ended container that was removed keeps its end', () => {
    const before: ContainerStatus = {
      name: 'c',
      state: { terminated: { exitCode: 0 } },
      ready: false,
      restartCount: 0,
      image: 'i',
      imageID: '',
    };
    const status = generate(makePod({ restartPolicy: 'Never' }, { phase: 'Succeeded', containerStatuses: [before] }), emptyPodState('u'));
    expect(only(status)).toMatchObject({ state: { terminated: { exitCode: 0 } } });
    expect(status.phase).toBe('Succeeded');
  });

  test('no way back from a terminal phase, and its address stays', () => {
    const pod = makePod({}, { phase: 'Failed', reason: 'Evicted', message: 'm', podIP: '10.0.0.9', podIPs: [{ ip: '10.0.0.9' }] });
    expect(generate(pod, emptyPodState('u'))).toMatchObject({ phase: 'Failed', reason: 'Evicted', message: 'm', podIP: '10.0.0.9' });
  });

  test('init containers that are done and forgotten count as done', () => {
    const initContainers: Container[] = [
      { name: 'i', image: 'i' },
      { name: 's', image: 'i', restartPolicy: 'Always' },
    ];
    const status = generate(makePod({ initContainers }), makeState({ id: 'a', phase: 'running' }));
    expect(status.initContainerStatuses?.map(({ name, state }) => [name, Object.keys(state ?? {})[0]])).toEqual([
      ['i', 'terminated'],
      ['s', 'waiting'],
    ]);
  });

  test('readiness gates and conditions of others', () => {
    const gate = { type: 'example.com/gate', status: 'False' };
    const pod = makePod({ readinessGates: [{ conditionType: gate.type }] }, { conditions: [gate] });
    const status = generate(pod, makeState({ id: 'a', phase: 'running' }));
    expect(status.conditions?.[0]).toBe(gate);
    expect(status.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
      status: 'False',
      reason: 'ReadinessGatesNotReady',
      message: 'the status of pod readiness gate "example.com/gate" is not "True", but False',
    });
  });

  test('a condition keeps its time while it keeps its status', () => {
    const old = { type: 'Ready', status: 'True', lastTransitionTime: '2025-01-01T00:00:00Z' };
    const status = generate(makePod({}, { conditions: [old] }), makeState({ id: 'a', phase: 'running' }));
    expect(status.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime).toBe('2025-01-01T00:00:00Z');
  });

  test('everything ended because it was told to', () => {
    const pod = makePod({}, {}, { deletionTimestamp: '2026-01-01T00:00:00Z' });
    expect(generate(pod, makeState({ id: 'a', phase: 'exited', exitCode: 143 }), {}, { terminal: true }).phase).toBe('Failed');
    expect(generate(pod, makeState({ id: 'a', phase: 'exited', exitCode: 0 }), {}, { terminal: true }).phase).toBe('Succeeded');
  });
});
