import type { Clock } from '@orrery/base';
import { describe, expect, test } from 'vitest';
import { newFeatureGates, newLogger, newMetricsRegistry, pingCheck, runHealthChecks } from './index.ts';

const clock: Clock = {
  now: () => 0,
  monotonicMs: () => 0,
  after: () => ({ cancel: () => undefined }),
  sleep: () => Promise.resolve(),
};

describe('logger', () => {
  const linesOf = (format: 'text' | 'json', log: (logger: ReturnType<typeof newLogger>) => void): string[] => {
    const lines: string[] = [];
    log(newLogger({ write: (line) => lines.push(line), clock, format, level: 'info' }));
    return lines;
  };

  test('text: one line, fields quoted where needed, less urgent levels dropped', () => {
    const lines = linesOf('text', (logger) => {
      logger.with({ pod: 'a/b' }).warn('gone', { why: 'line\nbreak', size: 3 });
      logger.debug('never');
    });
    expect(lines).toEqual(['1970-01-01T00:00:00.000Z WARN gone pod=a/b why="line\\nbreak" size=3\n']);
  });

  test('json: errors with their cause, cycles and big integers do not throw', () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    const lines = linesOf('json', (logger) => {
      logger.error('x', { error: new Error('outer', { cause: new Error('inner') }), big: 1n });
      logger.error('y', { cycle });
    });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'error', message: 'x', big: '1', error: expect.stringContaining('inner') });
    expect(lines).toHaveLength(2);
  });
});

describe('metrics', () => {
  test('exposition: families sorted, values escaped, histogram cumulative', () => {
    const registry = newMetricsRegistry();
    const total = registry.counter({ name: 'b_total', help: 'B.', labels: ['path'] });
    total.inc(['a"\\\n']);
    total.inc(['a"\\\n'], 2);
    const seconds = registry.histogram({ name: 'a_seconds', help: 'A.', buckets: [0.1, 1] });
    for (const value of [0.1, 0.5, 7]) seconds.observe(value);
    registry.gauge({ name: 'c', help: 'C.' }).set(4);
    expect(registry.text()).toBe(
      [
        '# HELP a_seconds A.',
        '# TYPE a_seconds histogram',
        'a_seconds_bucket{le="0.1"} 1',
        'a_seconds_bucket{le="1"} 2',
        'a_seconds_bucket{le="+Inf"} 3',
        'a_seconds_sum 7.6',
        'a_seconds_count 3',
        '# HELP b_total B.',
        '# TYPE b_total counter',
        'b_total{path="a\\"\\\\\\n"} 3',
        '# HELP c C.',
        '# TYPE c gauge',
        'c 4',
        '',
      ].join('\n'),
    );
  });

  test('caller bugs throw', () => {
    const registry = newMetricsRegistry();
    const counter = registry.counter({ name: 'a_total', help: '', labels: ['x'] });
    expect(() => counter.inc([])).toThrow(/label values/);
    expect(() => registry.gauge({ name: 'a_total', help: '' })).toThrow(/twice/);
  });
});

describe('health', () => {
  const broken = {
    name: 'store',
    check: () => {
      throw new Error('secret');
    },
  };
  const cases = [
    { name: 'all well', checks: [pingCheck], exclude: [], healthy: true, text: '[+]ping ok\nreadyz check passed\n' },
    {
      name: 'one failed: the reason is withheld',
      checks: [pingCheck, broken],
      exclude: [],
      healthy: false,
      text: '[+]ping ok\n[-]store failed: reason withheld\nreadyz check failed\n',
    },
    {
      name: 'failed one excluded, unknown one named',
      checks: [pingCheck, broken],
      exclude: ['store', 'x'],
      healthy: true,
      text: '[+]ping ok\n[+]store excluded: ok\nwarn: some health checks cannot be excluded: no matches for "x"\nreadyz check passed\n',
    },
  ];
  for (const { name, checks, exclude, healthy, text } of cases) {
    test(name, async () => {
      const report = await runHealthChecks('readyz', checks, exclude);
      expect({ healthy: report.healthy, text: report.text }).toEqual({ healthy, text });
    });
  }
});

describe('feature gates', () => {
  const specs = [
    { name: 'Young', owner: 'sched', stage: 'alpha', since: '0.1' },
    { name: 'Grown', owner: 'sched', stage: 'beta', since: '0.1' },
    { name: 'Done', owner: 'sched', stage: 'stable', since: '0.1' },
  ] as const;
  test('defaults follow the stage, overrides win', () => {
    expect(
      newFeatureGates(specs)
        .list()
        .map(({ name, enabled }) => `${name}=${enabled}`),
    ).toEqual(['Done=true', 'Grown=true', 'Young=false']);
    const gates = newFeatureGates(specs, 'Young=true, Grown=false');
    expect([gates.enabled('Young'), gates.enabled('Grown')]).toEqual([true, false]);
  });
  for (const [text, message] of [
    ['Old=true', /unknown feature gate "Old"/],
    ['Young=yes', /must be NAME=true/],
    ['Done=false', /cannot be disabled/],
  ] as const) {
    test(`refuses ${text}`, () => expect(() => newFeatureGates(specs, text)).toThrow(message));
  }
});
