import { describe, expect, test } from 'vitest';
import { type Backoff, backoffLeftMs, indexBackoffLeftMs, nextBackoff, noBackoff } from './backoff.ts';
import { INDEX_FAILURE_COUNT, INDEX_IGNORED_FAILURE_COUNT } from './job-pods.ts';
import { ended, NOW_MS, testPod } from './testing/objects.ts';

const good = (seconds: number) => testPod(`good-${seconds}`, ended(0, seconds));
const bad = (seconds: number) => testPod(`bad-${seconds}`, ended(1, seconds));
const two: Backoff = { failures: 2, lastFailureMs: NOW_MS };

describe('nextBackoff', () => {
  test.each([
    ['nothing ended', two, [], [], two],
    ['more failures', two, [], [bad(5), bad(3)], { failures: 4, lastFailureMs: NOW_MS + 5000 }],
    ['a success forgives', two, [good(1)], [], noBackoff],
    [
      'only failures after the last success count',
      two,
      [good(1), good(4)],
      [bad(3), bad(5)],
      { failures: 1, lastFailureMs: NOW_MS + 5000 },
    ],
    ['failures before the last success are forgiven', two, [good(9)], [bad(3)], noBackoff],
  ])('%s', (_, old, succeeded, failed, expected) => {
    expect(nextBackoff(old, succeeded, failed)).toEqual(expected);
  });
});

describe('backoffLeftMs', () => {
  test.each([
    [0, 0, 0],
    [1, 0, 10_000],
    [1, 4000, 6000],
    [1, 11_000, 0],
    [3, 0, 40_000],
    [7, 0, 600_000],
    [60, 0, 600_000],
  ])('%i failures, %i ms after the last: %i ms', (failures, elapsedMs, leftMs) => {
    expect(backoffLeftMs({ failures, lastFailureMs: failures === 0 ? undefined : NOW_MS }, NOW_MS + elapsedMs)).toBe(leftMs);
  });
});

describe('indexBackoffLeftMs', () => {
  test('an index without a failure does not wait', () => expect(indexBackoffLeftMs(undefined, NOW_MS)).toBe(0));
  test('its last pod tells how often it failed', () => {
    const annotations = { [INDEX_FAILURE_COUNT]: '1', [INDEX_IGNORED_FAILURE_COUNT]: '1' };
    expect(indexBackoffLeftMs(testPod('p', { ...ended(1), annotations }), NOW_MS)).toBe(40_000);
  });
});
