import { describe, expect, test } from 'vitest';
import { newPluginBench, type PluginBenchOptions } from '../testing/plugin-bench.ts';
import { type PodFields, testNode, testPod } from '../testing/scripted-cluster.ts';

const MIB = 1024 * 1024;
const score = (name: string, options: PluginBenchOptions, pod: PodFields = {}) =>
  newPluginBench({ ...options, plugins: [{ name }] }).score(testPod('p', pod));
const used = (nodeName: string, cpu: string, memory: string) => testPod(`on-${nodeName}`, { nodeName, requests: { cpu, memory } });
const nodes = [testNode('a', { allocatable: { memory: '4Gi' } }), testNode('b', { allocatable: { memory: '4Gi' } })];
const half = { requests: { cpu: '1', memory: '1Gi' } };

describe('scores', () => {
  test('NodeResourcesFit prefers room, or its use where told so', () => {
    const pods = [used('a', '2', '2Gi')];
    expect(score('NodeResourcesFit', { nodes, pods }, half)).toEqual({ a: 25, b: 75 });
    const strategy = (scoringStrategy: object) => ({ nodes, pods, pluginConfig: { NodeResourcesFit: { scoringStrategy } } });
    expect(score('NodeResourcesFit', strategy({ type: 'MostAllocated' }), half)).toEqual({ a: 75, b: 25 });
    const shape = [
      { utilization: 0, score: 0 },
      { utilization: 50, score: 10 },
      { utilization: 100, score: 0 },
    ];
    const ratio = strategy({ type: 'RequestedToCapacityRatio', requestedToCapacityRatio: { shape } });
    expect(score('NodeResourcesFit', ratio, half)).toEqual({ a: 50, b: 50 });
    expect(() => newPluginBench({ ...strategy({ type: 'Best' }), plugins: [{ name: 'NodeResourcesFit' }] })).toThrow(TypeError);
  });

  test('containers without requests count a little', () => {
    expect(score('NodeResourcesFit', { nodes: [testNode('a', { allocatable: { cpu: '1', memory: '2000Mi' } })] })).toEqual({ a: 90 });
  });

  test('NodeResourcesBalancedAllocation prefers even use, and ignores pods that ask for nothing', () => {
    const pods = [used('a', '2', '0')];
    expect(score('NodeResourcesBalancedAllocation', { nodes, pods }, half)).toEqual({ a: 75, b: 100 });
    expect(score('NodeResourcesBalancedAllocation', { nodes, pods })).toEqual({ a: 0, b: 0 });
  });

  test('TaintToleration prefers nodes with fewer soft taints that are not tolerated', () => {
    const soft = (...keys: string[]) => ({ spec: { taints: keys.map((key) => ({ key, effect: 'PreferNoSchedule' })) } });
    const tainted = [testNode('a', soft('x', 'y')), testNode('b', soft('x')), testNode('c')];
    expect(score('TaintToleration', { nodes: tainted })).toEqual({ a: 0, b: 50, c: 100 });
    expect(score('TaintToleration', { nodes: tainted }, { spec: { tolerations: [{ key: 'x', operator: 'Exists' }] } })).toEqual({
      a: 0,
      b: 100,
      c: 100,
    });
  });

  test('NodeAffinity adds the weights of preferred terms', () => {
    const zones = [testNode('a', { labels: { zone: 'x', disk: 'ssd' } }), testNode('b', { labels: { zone: 'x' } }), testNode('c')];
    const preferred = (weight: number, key: string) => ({ weight, preference: { matchExpressions: [{ key, operator: 'Exists' }] } });
    const pod = {
      spec: {
        affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [preferred(3, 'zone'), preferred(1, 'disk')] } },
      },
    };
    expect(score('NodeAffinity', { nodes: zones }, pod)).toEqual({ a: 100, b: 75, c: 0 });
  });

  test('ImageLocality prefers nodes with large images of the pod', () => {
    const withImage = (name: string, megabytes: number) =>
      testNode(name, { status: { images: [{ names: ['image:latest'], sizeBytes: megabytes * MIB }] } });
    expect(score('ImageLocality', { nodes: [withImage('a', 1000), testNode('b')] })).toEqual({ a: 48, b: 0 });
    expect(score('ImageLocality', { nodes: [withImage('a', 1000), withImage('b', 20)] })).toEqual({ a: 100, b: 0 });
  });
});
