import type { Pod } from '@orrery/api/core/v1';
import { describe, expect, test } from 'vitest';
import { podView } from './views.ts';

interface Given {
  readonly spec?: object;
  readonly status?: object;
  readonly deleted?: true;
}

const podOf = ({ spec = {}, status = {}, deleted }: Given): Pod =>
  ({
    metadata: { name: 'p', namespace: 'd', uid: 'u', ...(deleted ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}) },
    spec: { nodeName: 'n', containers: [{ name: 'c', image: 'i' }], ...spec },
    status,
  }) as unknown as Pod;

const waiting = (reason: string, more: object = {}) => ({
  name: 'c',
  ready: false,
  restartCount: 2,
  state: { waiting: { reason } },
  ...more,
});
const running = { name: 'c', ready: true, restartCount: 1, state: { running: {} } };
const ready = [{ type: 'Ready', status: 'True' }];

describe('a pod as the page shows it', () => {
  test.each<[string, Given, string]>([
    ['without a node', { spec: { nodeName: undefined }, status: { phase: 'Pending' } }, 'pending Pending 0/1 ↻0'],
    [
      'held by a gate',
      {
        spec: { nodeName: '' },
        status: { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] },
      },
      'pending SchedulingGated 0/1 ↻0',
    ],
    [
      'on its way',
      { status: { phase: 'Pending', containerStatuses: [waiting('ContainerCreating')] } },
      'starting ContainerCreating 0/1 ↻2',
    ],
    ['running', { status: { phase: 'Running', conditions: ready, containerStatuses: [running] } }, 'running Running 1/1 ↻1'],
    ['not ready yet', { status: { phase: 'Running', containerStatuses: [{ ...running, ready: false }] } }, 'starting Running 0/1 ↻1'],
    ['crash loop', { status: { phase: 'Running', containerStatuses: [waiting('CrashLoopBackOff')] } }, 'failing CrashLoopBackOff 0/1 ↻2'],
    [
      'image that is not there',
      { status: { phase: 'Pending', containerStatuses: [waiting('ErrImagePull')] } },
      'failing ErrImagePull 0/1 ↻2',
    ],
    [
      'completed',
      {
        status: {
          phase: 'Succeeded',
          containerStatuses: [{ ...running, ready: false, state: { terminated: { exitCode: 0, reason: 'Completed' } } }],
        },
      },
      'succeeded Completed 0/1 ↻1',
    ],
    [
      'failed by a signal',
      {
        status: { phase: 'Failed', containerStatuses: [{ ...running, ready: false, state: { terminated: { exitCode: 137, signal: 9 } } }] },
      },
      'failed Signal:9 0/1 ↻1',
    ],
    ['evicted', { status: { phase: 'Failed', reason: 'Evicted', message: 'low on memory' } }, 'failed Evicted 0/1 ↻0'],
    ['being deleted', { deleted: true, status: { phase: 'Running', containerStatuses: [running] } }, 'terminating Terminating 1/1 ↻1'],
    [
      'lost with its node',
      { deleted: true, status: { phase: 'Running', reason: 'NodeLost', containerStatuses: [running] } },
      'unknown Unknown 1/1 ↻1',
    ],
    [
      'in its init container',
      {
        spec: { initContainers: [{ name: 'i', image: 'i' }] },
        status: {
          phase: 'Pending',
          initContainerStatuses: [{ ...running, name: 'i', ready: false }],
          containerStatuses: [waiting('PodInitializing')],
        },
      },
      'starting Init:0/1 0/1 ↻1',
    ],
    [
      'failing in its init container',
      {
        spec: { initContainers: [{ name: 'i', image: 'i' }] },
        status: {
          phase: 'Pending',
          initContainerStatuses: [{ ...waiting('CrashLoopBackOff'), name: 'i' }],
          containerStatuses: [waiting('PodInitializing')],
        },
      },
      'failing Init:CrashLoopBackOff 0/1 ↻2',
    ],
    [
      'with a sidecar',
      {
        spec: { initContainers: [{ name: 's', image: 'i', restartPolicy: 'Always' }] },
        status: {
          phase: 'Running',
          conditions: ready,
          initContainerStatuses: [{ ...running, name: 's', started: true }],
          containerStatuses: [running],
        },
      },
      'running Running 2/2 ↻2',
    ],
  ])('%s', (_name, given, told) => {
    const { state, reason, ready, total, restarts } = podView(0, podOf(given));
    expect(`${state} ${reason} ${ready}/${total} ↻${restarts}`).toBe(told);
  });

  test('says why, as the cluster does, and how the last run ended', () => {
    const crashing = waiting('CrashLoopBackOff', {
      state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 40s' } },
      lastState: { terminated: { exitCode: 3 } },
    });
    expect(podView(0, podOf({ status: { phase: 'Running', containerStatuses: [crashing] } })).message).toBe(
      'back-off 40s · last exit: code 3',
    );
    const conditions = [{ type: 'PodScheduled', status: 'False', message: '0/3 nodes are available' }];
    expect(podView(0, podOf({ spec: { nodeName: '' }, status: { conditions } })).message).toBe('0/3 nodes are available');
  });
  test('holds nothing of the environment, volumes or annotations', () => {
    const secret = { containers: [{ name: 'c', image: 'i', env: [{ name: 'PASSWORD', value: 'hunter2' }] }] };
    expect(JSON.stringify(podView(0, podOf({ spec: secret })))).not.toContain('hunter2');
  });
});
