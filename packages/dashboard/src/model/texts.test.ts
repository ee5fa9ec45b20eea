import { describe, expect, test } from 'vitest';
import type { PodView } from '../protocol.ts';
import { newPodMatcher, noFilter } from './filter.ts';
import { formatAge, formatBytes, formatCpu, shortName } from './format.ts';
import { LINES_MAX, newLogLines } from './log-lines.ts';
import { newSeriesStore, POINTS_MAX } from './series.ts';
import { nextSorting, rowWindow, sortedPods } from './table.ts';

const pod = (name: string, change: Partial<PodView> = {}): PodView =>
  ({
    kind: 'pod',
    id: name,
    name,
    namespace: 'default',
    node: 'n1',
    cluster: 0,
    state: 'running',
    reason: 'Running',
    restarts: 0,
    ready: 1,
    total: 1,
    createdMs: 0,
    ...change,
  }) as PodView;

describe('the table', () => {
  test('shows only rows in sight and a few more', () => {
    expect(rowWindow(0, 340, 34, 5_000)).toEqual({ first: 0, end: 16 });
    expect(rowWindow(3_400, 340, 34, 5_000)).toEqual({ first: 94, end: 116 });
    expect(rowWindow(1e9, 340, 34, 50)).toEqual({ first: 44, end: 50 });
    expect(rowWindow(0, 340, 34, 0)).toEqual({ first: 0, end: 0 });
  });
  test('what fails stands first; equal rows by name', () => {
    const pods = [pod('b'), pod('a'), pod('z', { state: 'failing' }), pod('m', { state: 'pending' })];
    const names = (sorting: Parameters<typeof sortedPods>[1]) =>
      sortedPods(pods, sorting, ({ name }) => (name === 'b' ? [5, 1] : undefined)).map(({ name }) => name);
    expect(names({ column: 'state', descending: false })).toEqual(['z', 'm', 'a', 'b']);
    expect(names({ column: 'cpu', descending: true })).toEqual(['b', 'a', 'm', 'z']);
    expect(nextSorting({ column: 'name', descending: false }, 'name')).toEqual({ column: 'name', descending: true });
    expect(nextSorting({ column: 'name', descending: false }, 'cpu')).toEqual({ column: 'cpu', descending: true });
  });
});

test('a filter: all words, any case, in name, namespace, node or status', () => {
  const matches = newPodMatcher({ ...noFilter, text: ' WEB crash ' });
  expect([pod('web-1', { reason: 'CrashLoopBackOff' }), pod('web-2'), pod('db', { reason: 'CrashLoopBackOff' })].map(matches)).toEqual([
    true,
    false,
    false,
  ]);
  expect(newPodMatcher({ ...noFilter, namespace: 'other' })(pod('a'))).toBe(false);
  expect(newPodMatcher({ ...noFilter, cluster: 1 })(pod('a'))).toBe(false);
  expect(newPodMatcher({ ...noFilter, states: new Set(['failing']) })(pod('a', { state: 'failing' }))).toBe(true);
});

describe('a log', () => {
  test('lines that come in pieces, with times, without colours', () => {
    const log = newLogLines();
    log.append('2026-01-01T00:00:00.5Z one\n2026-01-01T00:00:01Z \u001b[31mt');
    log.append('wo\u001b[0m\r\nno time\n');
    expect(log.lines).toEqual([
      { at: '2026-01-01T00:00:00.5Z', text: 'one' },
      { at: '2026-01-01T00:00:01Z', text: 'two' },
      { at: '', text: 'no time' },
    ]);
  });
  test('the oldest lines go', () => {
    const log = newLogLines();
    log.append('x\n'.repeat(LINES_MAX + 10));
    expect([log.lines.length, log.dropped]).toEqual([LINES_MAX, 10]);
  });
  test('a line without end is bounded', () => {
    const log = newLogLines();
    for (let count = 0; count < 100; count += 1) log.append('y'.repeat(1_000));
    log.append('\n');
    expect(log.lines[0]?.text.length).toBeLessThan(6_000);
  });
});

test('series: the last points of what is there', () => {
  const series = newSeriesStore();
  for (let at = 1; at <= POINTS_MAX + 5; at += 1) {
    const pods: Record<string, readonly [number, number]> = at > POINTS_MAX ? {} : { 'd/p': [at, 1] };
    series.add({ type: 'sample', cluster: 0, atMs: at, nodes: { n: [at, 2] }, pods });
  }
  series.add({ type: 'sample', cluster: 0, atMs: 1, nodes: { n: [0, 0] } });
  expect([series.node(0, 'n')?.atMs.length, series.lastOfNode(0, 'n'), series.pod(0, 'd', 'p')]).toEqual([
    POINTS_MAX,
    [POINTS_MAX + 5, 2],
    undefined,
  ]);
});

test.each([
  [formatCpu(0.42), '0.4 m'],
  [formatCpu(1_250), '1.25 cores'],
  [formatBytes(0), '0 B'],
  [formatBytes(34 * 1024 * 1024), '34 MiB'],
  [formatBytes(1.5 * 1024 ** 3), '1.5 GiB'],
  [formatAge(119_000), '119s'],
  [formatAge(3 * 3_600_000), '3h'],
  [formatAge(-5), '0s'],
  [shortName('checkout-7d9f8b-x2k4z', 14), 'checkou…-x2k4z'],
])('%s', (text, wanted) => expect(text).toBe(wanted));
