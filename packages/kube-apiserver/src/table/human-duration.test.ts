import { describe, expect, test } from 'vitest';
import { ageOf, humanDuration } from './human-duration.ts';

const S = 1000;
const M = 60 * S;
const H = 60 * M;
const D = 24 * H;

describe('humanDuration', () => {
  const cases: [number, string][] = [
    [-3 * S, '<invalid>'],
    [-1.5 * S, '0s'],
    [0, '0s'],
    [S, '1s'],
    [70 * S, '70s'],
    [120 * S, '2m'],
    [190 * S, '3m10s'],
    [10 * M, '10m'],
    [179 * M, '179m'],
    [3 * H, '3h'],
    [3 * H + 5 * M, '3h5m'],
    [8 * H + 59 * M, '8h'],
    [47 * H, '47h'],
    [2 * D, '2d'],
    [2 * D + 3 * H, '2d3h'],
    [8 * D, '8d'],
    [729 * D, '729d'],
    [730 * D, '2y'],
    [735 * D, '2y5d'],
    [9 * 365 * D, '9y'],
  ];
  for (const [ms, want] of cases) test(`${ms} ms is ${want}`, () => expect(humanDuration(ms)).toBe(want));
});

describe('ageOf', () => {
  test('counts from the timestamp', () => expect(ageOf('1970-01-01T00:00:00Z', 5 * S)).toBe('5s'));
  test('no timestamp', () => expect(ageOf(undefined, 0)).toBe('<unknown>'));
});
