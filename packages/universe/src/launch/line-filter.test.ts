import { describe, expect, test } from 'vitest';
import { newLineFilter } from './line-filter.ts';

const log = [
  '2026-01-01T00:00:01.000000001Z one',
  '2026-01-01T00:00:01.5Z two',
  '2026-01-01T00:00:01.500Z two again',
  '2026-01-01T01:00:01.500000000+01:00 two for the third time',
  '2026-01-01T00:00:02Z three',
  '2026-01-01T00:00:02Z ',
];
const texts = ['one', 'two', 'two again', 'two for the third time', 'three', ''];

describe('newLineFilter', () => {
  test('shows every line once, wherever the log is read again', () => {
    for (let cut = 0; cut <= log.length; cut += 1)
      for (let back = 0; back <= cut; back += 1) {
        const filter = newLineFilter();
        const shown = log.slice(0, cut).map((line) => filter.pass(line));
        filter.again();
        // The server goes back to whole seconds: never into the middle of lines of one time.
        const from =
          cut === 0
            ? 0
            : Math.min(
                back,
                log.findIndex((line) => Date.parse(line.split(' ')[0] ?? '') === Date.parse(log[cut - 1]?.split(' ')[0] ?? '')),
              );
        shown.push(...log.slice(from).map((line) => filter.pass(line)));
        expect(
          shown.filter((text) => text !== undefined),
          `cut ${cut}, back ${from}`,
        ).toEqual(texts);
      }
  });

  test('tells where to read on', () => {
    const filter = newLineFilter();
    expect(filter.sinceTime()).toBeUndefined();
    filter.pass('2026-01-01T01:00:01.5+01:00 x');
    expect(filter.sinceTime()).toBe('2026-01-01T00:00:01Z');
  });

  test('what has no time is told as it is', () => expect(newLineFilter().pass('failed to open')).toBe('failed to open'));
});
