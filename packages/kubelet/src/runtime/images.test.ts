import type { Pod } from '@orrery/api/core/v1';
import { newVirtualClock } from '@orrery/base';
import type { Runtime } from '@orrery/cri';
import { describe, expect, test } from 'vitest';
import { newHollowRuntime } from '../hollow/hollow-runtime.ts';
import { newRestartBackoff } from './backoff.ts';
import { hasTagOrDigest, isImageReference } from './image-reference.ts';
import { goDuration, newImagePuller } from './images.ts';
import type { StartError } from './start-error.ts';

const pod = { metadata: { uid: 'u' } } as Pod;

function setup(present: boolean, pull: () => Promise<void> = async () => {}) {
  const clock = newVirtualClock();
  const told: string[] = [];
  let pulls = 0;
  let here = present;
  const runtime: Runtime = {
    ...newHollowRuntime({ clock }),
    imageStatus: async ({ image }) => (here ? { image: { id: image?.image ?? '', size: 42 } } : {}),
    async pullImage() {
      pulls += 1;
      await pull();
      here = true;
      return { imageRef: 'ref' };
    },
  };
  const events = { event: (_: object, type: string, reason: string, message: string) => void told.push(`${type} ${reason} ${message}`) };
  const backoff = newRestartBackoff(clock, { baseDelayMs: 10_000, maxDelayMs: 300_000 });
  const puller = newImagePuller({ runtime, clock, events, backoff });
  const ensure = async (image: string, pullPolicy?: string): Promise<string> => {
    const wish = { pod, about: {}, image, pullPolicy, credentials: [], sandboxConfig: {} };
    return await puller.ensure(wish, new AbortController().signal).then(
      () => 'ok',
      (err: StartError) => `${err.reason}: ${err.message}`,
    );
  };
  return { clock, told, ensure, pulls: () => pulls };
}

describe('ensure', () => {
  const cases: readonly (readonly [string, boolean, string, string | undefined, string, number, readonly string[]])[] = [
    [
      'present, IfNotPresent',
      true,
      'a:1',
      'IfNotPresent',
      'ok',
      0,
      ['Normal Pulled Container image "a:1" already present on machine and can be accessed by the pod'],
    ],
    [
      'present, Always',
      true,
      'a:1',
      'Always',
      'ok',
      1,
      [
        'Normal Pulling Pulling image "a:1"',
        'Normal Pulled Successfully pulled image "a:1" in 0ms (0ms including waiting). Image size: 42 bytes.',
      ],
    ],
    [
      'present, latest by default',
      true,
      'a',
      undefined,
      'ok',
      1,
      [
        'Normal Pulling Pulling image "a"',
        'Normal Pulled Successfully pulled image "a" in 0ms (0ms including waiting). Image size: 42 bytes.',
      ],
    ],
    [
      'absent, IfNotPresent',
      false,
      'a:1',
      'IfNotPresent',
      'ok',
      1,
      [
        'Normal Pulling Pulling image "a:1"',
        'Normal Pulled Successfully pulled image "a:1" in 0ms (0ms including waiting). Image size: 42 bytes.',
      ],
    ],
    [
      'absent, Never',
      false,
      'a:1',
      'Never',
      'ErrImageNeverPull: Container image "a:1" is not present with pull policy of Never',
      0,
      ['Warning ErrImageNeverPull Container image "a:1" is not present with pull policy of Never'],
    ],
  ];
  for (const [name, present, image, policy, want, pulls, told] of cases) {
    test(name, async () => {
      const puller = setup(present);
      expect(await puller.ensure(image, policy)).toBe(want);
      expect(puller.pulls()).toBe(pulls);
      expect(puller.told).toEqual(told);
    });
  }

  test('a pull that fails backs off', async () => {
    const puller = setup(false, () => Promise.reject(new Error('no such image')));
    expect(await puller.ensure('a:1')).toBe('ErrImagePull: no such image');
    await puller.clock.advance(5000);
    expect(await puller.ensure('a:1')).toBe('ImagePullBackOff: Back-off pulling image "a:1": ErrImagePull: no such image');
    expect(puller.pulls()).toBe(1);
    await puller.clock.advance(5000);
    expect(await puller.ensure('a:1')).toBe('ErrImagePull: no such image');
    await puller.clock.advance(15_000);
    expect(await puller.ensure('a:1')).toMatch(/^ImagePullBackOff/);
    expect(puller.told).toContain('Warning Failed Failed to pull image "a:1": no such image');
    expect(puller.told).toContain('Normal BackOff Back-off pulling image "a:1"');
  });

  test('a name that is none', async () =>
    expect(await setup(true).ensure('UPPER CASE')).toMatch(/^InvalidImageName: Failed to apply default image tag "UPPER CASE"/));
});

test('image references', () => {
  for (const good of ['a', 'a:1', 'a/b', 'docker.io/library/a:v1.2', 'localhost:5000/a', 'r.io/a@sha256:' + 'a'.repeat(64), '[::1]:5000/a'])
    expect([good, isImageReference(good)]).toEqual([good, true]);
  for (const bad of ['', 'A', 'a:', 'a b', 'a@sha256:12', '/a', 'a//b', '-a']) expect([bad, isImageReference(bad)]).toEqual([bad, false]);
  expect(hasTagOrDigest('localhost:5000/a')).toBe(false);
  expect(hasTagOrDigest('localhost:5000/a:1')).toBe(true);
});

test('goDuration', () => {
  expect([5, 999, 10_000, 20_000, 80_000, 300_000, 3_725_500].map(goDuration)).toEqual([
    '5ms',
    '999ms',
    '10s',
    '20s',
    '1m20s',
    '5m0s',
    '1h2m5.5s',
  ]);
});

test('newRestartBackoff doubles to its limit and forgets after twice that', async () => {
  const clock = newVirtualClock();
  const backoff = newRestartBackoff(clock, { baseDelayMs: 10, maxDelayMs: 60 });
  const delays: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    backoff.step('k', clock.now());
    delays.push(backoff.delayMs('k'));
    await clock.advance(backoff.remainingSinceStepMs('k'));
  }
  expect(delays).toEqual([10, 20, 40, 60, 60]);
  await clock.advance(200);
  expect(backoff.remainingMs('k', clock.now())).toBe(0);
  backoff.step('k', clock.now());
  expect(backoff.delayMs('k')).toBe(10);
  await clock.advance(200);
  backoff.prune();
  expect(backoff.delayMs('k')).toBe(0);
});
