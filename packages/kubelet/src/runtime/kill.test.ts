import type { Pod } from '@orrery/api/core/v1';
import { newVirtualClock } from '@orrery/base';
import { silentLogger } from '@orrery/component';
import type { Runtime } from '@orrery/cri';
import { expect, test } from 'vitest';
import { newKiller } from './kill.ts';
import type { ContainerInstance, PodState } from './pod-state.ts';

const sleep = (seconds: number) => ({ lifecycle: { preStop: { sleep: { seconds } } } });

const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'ns', uid: 'u' } as Pod['metadata'],
  spec: {
    terminationGracePeriodSeconds: 30,
    initContainers: [
      { name: 'first', restartPolicy: 'Always', ...sleep(4) },
      { name: 'second', restartPolicy: 'Always', ...sleep(1) },
    ],
    containers: [{ name: 'main', ...sleep(2) }],
  },
  status: {},
};

const instance = (name: string): ContainerInstance => ({
  id: name,
  name,
  phase: 'running',
  createdAtMs: 0,
  startedAtMs: 0,
  finishedAtMs: 0,
  exitCode: 0,
  reason: '',
  message: '',
  image: '',
  imageId: '',
  hash: '',
  restartCount: 0,
  logPath: '',
  cri: {},
});

test.each([
  [
    'within the grace period',
    30,
    ['hook main 0', 'hook first 0', 'hook second 0', 'stop main 2 28', 'stop second 7 23', 'stop first 12 18'],
  ],
  ['no longer than it', 4, ['hook main 0', 'hook first 0', 'hook second 0', 'stop main 2 2', 'stop second 4 2', 'stop first 4 2']],
])('preStop hooks begin together; sidecars end after the others, last first, %s', async (_, graceSeconds, expected) => {
  const clock = newVirtualClock();
  const told: string[] = [];
  const now = (): number => clock.monotonicMs() / 1000;
  const stopContainer: Runtime['stopContainer'] = async ({ containerId, timeout }) => {
    told.push(`stop ${containerId} ${now()} ${timeout}`);
    await clock.sleep(5000);
    return {};
  };
  const killer = newKiller({
    runtime: { stopContainer } as Partial<Runtime> as Runtime,
    clock,
    events: { event: () => undefined },
    hooks: {
      run: async (handler, { containerId }, signal) => {
        told.push(`hook ${containerId} ${now()}`);
        await clock.sleep((handler.sleep?.seconds ?? 0) * 1000, signal);
      },
    },
    log: silentLogger,
  });
  const state: PodState = {
    sandboxes: [],
    containers: ['first', 'second', 'main'].map(instance),
    ips: [],
  } as Partial<PodState> as PodState;
  const done = killer.killPod(pod, state, { graceSeconds, signal: new AbortController().signal });
  for (let second = 0; second < 40; second += 1) await clock.advance(1000);
  await done;
  expect(told.sort()).toEqual([...expected].sort());
});
