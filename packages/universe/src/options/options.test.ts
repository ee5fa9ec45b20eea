import { describe, expect, test } from 'vitest';
import { parseArguments } from './flags.ts';
import { splitByWeight } from './names.ts';
import { resolveSettings } from './resolve.ts';
import { UsageProblem } from './settings.ts';

const settingsOf = (argv: readonly string[], env: Readonly<Record<string, string>> = {}, options = {}) =>
  resolveSettings({ options, parsed: parseArguments(argv), env, fallbackName: 'app' });

describe('flags', () => {
  test('flags win over the environment, both over code', () => {
    expect(settingsOf([], {}, { replicas: 2 }).replicas).toBe(2);
    expect(settingsOf([], { UNIVERSE_REPLICAS: '3' }, { replicas: 2 }).replicas).toBe(3);
    expect(settingsOf(['--replicas', '5'], { UNIVERSE_REPLICAS: '3' }, { replicas: 2 }).replicas).toBe(5);
  });

  test('a value stands beside its flag or behind "="', () => {
    expect(settingsOf(['--replicas=4']).replicas).toBe(4);
    expect(settingsOf(['--kubernetes=staging']).clusters).toEqual([{ context: 'staging', weight: 1 }]);
  });

  test('what is not ours is the program’s, and all after "--"', () => {
    expect(settingsOf(['--verbose', '--replicas', '2', 'file', '--', '--replicas', '9'])).toMatchObject({
      replicas: 2,
      args: ['--verbose', 'file', '--replicas', '9'],
    });
  });

  test.each([
    [['--replicas'], '--replicas'],
    [['--replicas', 'many'], '--replicas'],
    [['--port', '70000'], '--port'],
    [['--memory', 'lots'], '--memory'],
    [['--detach=perhaps'], '--detach'],
    [['--name', 'Not_A_Name'], 'Not_A_Name'],
  ])('%j is refused by name', (argv, named) => {
    expect(() => settingsOf(argv)).toThrow(UsageProblem);
    expect(() => settingsOf(argv)).toThrow(named);
  });
});

test('replicas are split by weight, and none is lost', () => {
  expect(splitByWeight(10, [1, 1])).toEqual([5, 5]);
  for (const [total, weights] of [
    [7, [1, 2, 3]],
    [1, [5, 5]],
    [100, [0.1, 0.7, 3]],
  ] as const) {
    const split = splitByWeight(total, weights);
    expect(split).toHaveLength(weights.length);
    expect(split.reduce((sum, each) => sum + each, 0)).toBe(total);
  }
});
