import { describe, expect, test } from 'vitest';
import { formatMicroTime, formatTime, parseRfc3339 } from './time.ts';

test('formats whole seconds and microseconds, truncated', () => {
  expect(formatTime(1_700_000_000_999)).toBe('2023-11-14T22:13:20Z');
  expect(formatMicroTime(1_700_000_000_999.5)).toBe('2023-11-14T22:13:20.999500Z');
});

describe('reads RFC 3339 as Go', () => {
  const cases: readonly (readonly [string, 'seconds' | 'micro', string | number])[] = [
    ['2023-11-14T22:13:20Z', 'seconds', 1_700_000_000],
    ['2023-11-14T23:13:20.5+01:00', 'seconds', 1_700_000_000],
    ['2023-11-14T22:13:20.123456Z', 'micro', 1_700_000_000],
    ['2024-02-29T00:00:00Z', 'seconds', 1_709_164_800],
    ['foo', 'seconds', 'parsing time "foo" as "2006-01-02T15:04:05Z07:00": cannot parse "foo" as "2006"'],
    ['', 'seconds', 'parsing time "" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "2006"'],
    ['2023-11-14', 'seconds', 'parsing time "2023-11-14" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "T"'],
    ['2023-02-30T00:00:00Z', 'seconds', 'parsing time "2023-02-30T00:00:00Z": day out of range'],
    ['2023-13-01T00:00:00Z', 'seconds', 'parsing time "2023-13-01T00:00:00Z": month out of range'],
    ['2023-11-14T25:00:00Z', 'seconds', 'parsing time "2023-11-14T25:00:00Z": hour out of range'],
    [
      '2023-11-14T22:13:20Z',
      'micro',
      'parsing time "2023-11-14T22:13:20Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000"',
    ],
  ];
  test.each(cases)('%s (%s)', (text, layout, expected) => {
    const result = parseRfc3339(text, layout);
    expect(typeof result === 'string' ? result : result.seconds).toBe(expected);
  });

  test("Go's zero time is known", () => {
    expect(parseRfc3339('0001-01-01T00:00:00Z', 'seconds')).toMatchObject({ isZero: true });
  });
});
