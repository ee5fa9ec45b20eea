import { describe, expect, test } from 'vitest';
import { podInfoOf } from '../cache/pod-info.ts';
import { SCORE_MAX } from '../framework/plugin.ts';
import { newPluginBench } from '../testing/plugin-bench.ts';
import { testNode, testPod } from '../testing/scripted-cluster.ts';
import { plugins } from './registry.ts';

const labels = { app: 'a' };
const term = { topologyKey: 'zone', labelSelector: { matchLabels: labels } };
/** Something for every plugin. */
const demanding = testPod('demanding', {
  labels,
  requests: { cpu: '1', 'example.com/x': '1' },
  spec: {
    priority: 5,
    affinity: {
      nodeAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          { weight: 1, preference: { matchExpressions: [{ key: 'zone', operator: 'Exists' }] } },
        ],
      },
      podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: term }] },
      podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ ...term, topologyKey: 'kubernetes.io/hostname' }] },
    },
    topologySpreadConstraints: [
      { topologyKey: 'zone', maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: labels } },
    ],
  },
});
const freeze = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const child of Object.values(value)) freeze(child);
  }
  return value;
};
const nodes = ['a', 'b', 'c'].map((name, at) =>
  freeze(
    testNode(name, {
      labels: { zone: `z${at % 2}` },
      allocatable: { 'example.com/x': '2' },
      spec: at === 2 ? { taints: [{ key: 'k', effect: 'PreferNoSchedule' }] } : {},
    }),
  ),
);
const pods = [freeze(testPod('there', { labels, nodeName: 'a', requests: { cpu: '1' } })), freeze(testPod('also', { nodeName: 'b' }))];
const needed = new Set(['PrioritySort', 'DefaultBinder']); // The bench adds them.

describe.each(plugins)('plugin $name', ({ name }) => {
  const make = () => newPluginBench({ nodes, pods, plugins: needed.has(name) ? [] : [{ name }] });
  const pluginOf = (bench: ReturnType<typeof make>) => bench.profile.plugins.find(({ plugin }) => plugin.name === name)?.plugin;

  test('is named as registered, and says what helps its pods', () => {
    const plugin = pluginOf(make());
    expect(plugin?.name).toBe(name);
    for (const { actions } of plugin?.eventsToRegister?.() ?? []) expect(actions).toBeGreaterThan(0);
    if (plugin?.addPod !== undefined) expect(plugin.removePod).toBeDefined();
    if (plugin?.reserve !== undefined) expect(plugin.unreserve).toBeDefined();
  });

  test('decides the same twice, changes nothing, and scores in [0, 100]', () => {
    const bench = make();
    for (const pod of [freeze(demanding), freeze(testPod('plain'))]) {
      const first = { filter: bench.filter(pod), score: bench.score(pod) };
      expect({ filter: bench.filter(pod), score: bench.score(pod) }).toEqual(first);
      for (const score of Object.values(first.score)) {
        expect(score).toBeGreaterThanOrEqual(0);
        expect(score).toBeLessThanOrEqual(SCORE_MAX);
      }
    }
  });

  test('taking a pod away and putting it back leaves the verdict as it was', () => {
    const bench = make();
    const { state } = bench.statuses(demanding);
    const pod = podInfoOf(demanding);
    for (const original of bench.snapshot.nodes) {
      const before = bench.profile.fits(state, pod, original);
      const copy = state.clone();
      const node = original.clone();
      for (const other of original.pods) {
        node.removePod(other);
        bench.profile.removePod(copy, pod, other, node);
      }
      for (const other of original.pods) {
        node.addPod(other);
        bench.profile.addPod(copy, pod, other, node);
      }
      expect(bench.profile.fits(copy, pod, node)).toEqual(before);
      expect(bench.profile.fits(state, pod, original)).toEqual(before);
    }
  });
});

test('names are unique', () => {
  expect(new Set(plugins.map(({ name }) => name)).size).toBe(plugins.length);
});
