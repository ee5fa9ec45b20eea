import type { Container, ContainerState, ContainerStatus, PodSpec } from '@orrery/api/core/v1';
import { describe, expect, test } from 'vitest';
import { podPhase } from './phase.ts';

const ran = (exitCode: number): ContainerState => ({ terminated: { exitCode } });
const runs: ContainerState = { running: {} };
const waits: ContainerState = { waiting: { reason: 'ContainerCreating' } };

function status(name: string, state: ContainerState, extra: Partial<ContainerStatus> = {}): ContainerStatus {
  return { name, state, ready: false, restartCount: 0, image: '', imageID: '', ...extra };
}

const backingOff = (name: string, exitCode: number): ContainerStatus =>
  status(name, { waiting: { reason: 'CrashLoopBackOff' } }, { lastState: ran(exitCode) });

describe('podPhase', () => {
  const two: readonly Container[] = [{ name: 'a' }, { name: 'b' }];
  const init: Partial<PodSpec> = { initContainers: [{ name: 'i' }] };
  const sidecar: Partial<PodSpec> = { initContainers: [{ name: 's', restartPolicy: 'Always' }] };
  const cases: readonly (readonly [
    string,
    Partial<PodSpec>,
    readonly ContainerStatus[],
    string,
    { terminal?: boolean; initialized?: boolean }?,
  ])[] = [
    ['nothing known', {}, [], 'Pending'],
    ['one waits', {}, [status('a', runs), status('b', waits)], 'Pending'],
    ['all run', {}, [status('a', runs), status('b', runs)], 'Running'],
    ['one ended, Always', {}, [status('a', runs), status('b', ran(0))], 'Running'],
    ['all ended, Always', {}, [status('a', ran(0)), status('b', ran(1))], 'Running'],
    ['all back off', {}, [backingOff('a', 1), backingOff('b', 1)], 'Running'],
    ['all ended well, OnFailure', { restartPolicy: 'OnFailure' }, [status('a', ran(0)), status('b', ran(0))], 'Succeeded'],
    ['one failed, OnFailure', { restartPolicy: 'OnFailure' }, [status('a', ran(0)), status('b', ran(1))], 'Running'],
    ['all ended well, Never', { restartPolicy: 'Never' }, [status('a', ran(0)), status('b', ran(0))], 'Succeeded'],
    ['one failed, Never', { restartPolicy: 'Never' }, [status('a', ran(0)), status('b', ran(1))], 'Failed'],
    ['one runs, one failed, Never', { restartPolicy: 'Never' }, [status('a', runs), status('b', ran(1))], 'Running'],
    ['all ended well and is being ended, Always', {}, [status('a', ran(0)), status('b', ran(0))], 'Succeeded', { terminal: true }],
    ['one failed and is being ended, Always', {}, [status('a', ran(0)), status('b', ran(137))], 'Failed', { terminal: true }],
    ['init runs', init, [status('i', runs), status('a', waits), status('b', waits)], 'Pending'],
    ['init failed, Never', { ...init, restartPolicy: 'Never' }, [status('i', ran(1)), status('a', waits), status('b', waits)], 'Failed'],
    ['init failed, Always', init, [backingOff('i', 1), status('a', waits), status('b', waits)], 'Pending'],
    ['init done', init, [status('i', ran(0)), status('a', runs), status('b', runs)], 'Running'],
    ['sidecar not started', sidecar, [status('s', runs, { started: false }), status('a', waits), status('b', waits)], 'Pending'],
    [
      'sidecar restarts beside running containers',
      sidecar,
      [status('s', runs, { started: false }), status('a', runs), status('b', runs)],
      'Running',
      { initialized: true },
    ],
    [
      'sidecar still runs after all ended, Never',
      { ...sidecar, restartPolicy: 'Never' },
      [status('s', runs, { started: true }), status('a', ran(0)), status('b', ran(0))],
      'Running',
    ],
    [
      'sidecar ended too, Never',
      { ...sidecar, restartPolicy: 'Never' },
      [status('s', ran(143)), status('a', ran(0)), status('b', ran(0))],
      'Succeeded',
    ],
  ];
  for (const [name, spec, statuses, want, { terminal = false, initialized = false } = {}] of cases) {
    test(name, () => {
      expect(podPhase({ spec: { containers: two, restartPolicy: 'Always', ...spec }, statuses, terminal, initialized })).toBe(want);
    });
  }
});
