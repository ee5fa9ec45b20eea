import type { Pod } from '@orrery/api/core/v1';
import { expect, test } from 'vitest';
import { summarisePod } from './summary.ts';

const running = (name: string, ready = true, restartCount = 0) => ({
  name,
  image: '',
  imageID: '',
  ready,
  restartCount,
  state: { running: {} },
});
const waiting = (name: string, reason: string) => ({
  name,
  image: '',
  imageID: '',
  ready: false,
  restartCount: 3,
  state: { waiting: { reason } },
});
const ended = (name: string, exitCode: number, reason = '') => ({
  name,
  image: '',
  imageID: '',
  ready: false,
  restartCount: 0,
  state: { terminated: { exitCode, reason } },
});
const pod = (status: object, spec: object = {}, metadata: object = {}): Pod =>
  ({ metadata: { name: 'p', ...metadata }, spec: { containers: [{ name: 'a' }, { name: 'b' }], ...spec }, status }) as unknown as Pod;
const init = { initContainers: [{ name: 'i' }, { name: 'j' }] };
const sidecar = { initContainers: [{ name: 's', restartPolicy: 'Always' }] };

const cases: [string, Pod, string, string][] = [
  ['pending', pod({ phase: 'Pending' }), 'Pending', '0/2'],
  [
    'gated',
    pod({ phase: 'Pending', conditions: [{ type: 'PodScheduled', reason: 'SchedulingGated', status: 'False' }] }),
    'SchedulingGated',
    '0/2',
  ],
  ['running', pod({ phase: 'Running', containerStatuses: [running('a'), running('b')] }), 'Running', '2/2'],
  ['crashing', pod({ phase: 'Running', containerStatuses: [running('a'), waiting('b', 'CrashLoopBackOff')] }), 'CrashLoopBackOff', '1/2'],
  [
    'completed',
    pod({ phase: 'Succeeded', containerStatuses: [ended('a', 0, 'Completed'), ended('b', 0, 'Completed')] }),
    'Completed',
    '0/2',
  ],
  ['half completed', pod({ phase: 'Running', containerStatuses: [ended('a', 0, 'Completed'), running('b')] }), 'NotReady', '1/2'],
  ['exit without reason', pod({ phase: 'Failed', containerStatuses: [ended('a', 7)] }), 'ExitCode:7', '0/2'],
  [
    'first init running',
    pod({ phase: 'Pending', initContainerStatuses: [running('i', false), waiting('j', 'PodInitializing')] }, init),
    'Init:0/2',
    '0/2',
  ],
  [
    'second init crashing',
    pod({ phase: 'Pending', initContainerStatuses: [ended('i', 0), waiting('j', 'CrashLoopBackOff')] }, init),
    'Init:CrashLoopBackOff',
    '0/2',
  ],
  ['init failed', pod({ phase: 'Pending', initContainerStatuses: [ended('i', 1, 'Error')] }, init), 'Init:Error', '0/2'],
  [
    'sidecar counts',
    pod(
      { phase: 'Running', initContainerStatuses: [{ ...running('s'), started: true }], containerStatuses: [running('a'), running('b')] },
      sidecar,
    ),
    'Running',
    '3/3',
  ],
  ['deleted', pod({ phase: 'Running', containerStatuses: [running('a')] }, {}, { deletionTimestamp: 'x' }), 'Terminating', '1/2'],
  ['evicted', pod({ phase: 'Failed', reason: 'Evicted' }), 'Evicted', '0/2'],
];

for (const [name, given, reason, ready] of cases) {
  test(name, () => {
    const summary = summarisePod(given);
    expect([summary.reason, `${summary.ready}/${summary.total}`]).toEqual([reason, ready]);
  });
}
