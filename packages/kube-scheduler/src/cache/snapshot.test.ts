import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { testNode, testPod } from '../testing/scripted-cluster.ts';
import { SchedulerCache } from './cache.ts';
import type { NodeInfo } from './node-info.ts';
import { podInfoOf } from './pod-info.ts';
import { alternateZones, Snapshot } from './snapshot.ts';

const labels = { app: 'a' };
const anti = {
  affinity: {
    podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'zone', labelSelector: { matchLabels: labels } }] },
  },
};
const podOf = (id: number, version: number) =>
  testPod(`p${id}`, {
    namespace: `n${id % 2}`,
    labels: { app: version % 2 === 0 ? 'a' : 'b' },
    requests: { cpu: `${100 * (version + 1)}m`, 'example.com/x': `${version}` },
    spec: id % 3 === 0 ? anti : {},
  });
const nodeOf = (id: number, version: number) =>
  testNode(`n${id}`, {
    labels: { zone: `z${version % 2}` },
    allocatable: { cpu: `${version + 1}` },
    status: { images: [{ names: [`i${version % 2}`], sizeBytes: 5 }] },
  });

const small = fc.nat(3);
const step = fc.oneof(
  fc.record({ do: fc.constant('setNode' as const), node: small, version: small }),
  fc.record({ do: fc.constant('removeNode' as const), node: small }),
  fc.record({ do: fc.constant('assume' as const), pod: fc.nat(7), node: small, version: small }),
  fc.record({ do: fc.constant('forget' as const), pod: fc.nat(7) }),
  fc.record({ do: fc.constant('setPod' as const), pod: fc.nat(7), node: small, version: small }),
  fc.record({ do: fc.constant('removePod' as const), pod: fc.nat(7) }),
  fc.record({ do: fc.constant('snapshot' as const) }),
);

const describeNode = ({ name, node, pods, requested, nonZeroMilliCpu, freePods, freeMilliCpu, freeMemory, labels: own }: NodeInfo) => ({
  name,
  own,
  allocatable: node.status.allocatable,
  pods: pods.map(({ key, pod }) => `${key} ${JSON.stringify(pod.metadata.labels)}`).sort(),
  requested: { ...requested, scalars: Object.fromEntries(requested.scalars ?? []) },
  nonZeroMilliCpu,
  free: [freePods, freeMilliCpu, freeMemory],
});
const counted = (cache: SchedulerCache) => ({
  matching: Object.fromEntries(
    cache.index.count({ id: 'app=a', topologyKey: 'zone', namespaces: undefined, matches: (pod) => pod.labels?.['app'] === 'a' }),
  ),
  byNode: Object.fromEntries(cache.index.count({ id: 'n0', namespaces: new Set(['n0']), matches: () => true })),
  owners: ['n0', 'n1']
    .flatMap((namespace) => cache.index.antiAffinity.matching(podInfoOf(testPod('q', { namespace, labels })), () => undefined))
    .map(({ weights }) => Object.fromEntries(weights)),
  images: Object.fromEntries(cache.imageNodes),
});

describe('snapshot', () => {
  test('after any events it equals one made from scratch, and so does the index', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const cache = new SchedulerCache();
        const snapshot = new Snapshot(cache);
        counted(cache); // From here on the counts are followed.
        const nodes = new Map<string, ReturnType<typeof nodeOf>>();
        const pods = new Map<number, { info: ReturnType<typeof podInfoOf>; nodeName: string; isAssumed: boolean }>();
        for (const each of steps) {
          if (each.do === 'snapshot') snapshot.update();
          else if (each.do === 'setNode') {
            const node = nodeOf(each.node, each.version);
            nodes.set(node.metadata.name, node);
            cache.setNode(node);
          } else if (each.do === 'removeNode') {
            nodes.delete(`n${each.node}`);
            cache.removeNode(`n${each.node}`);
          } else if (each.do === 'removePod') {
            pods.delete(each.pod);
            cache.removePod(podInfoOf(podOf(each.pod, 0)).uid);
          } else if (each.do === 'forget') {
            if (pods.get(each.pod)?.isAssumed === true) pods.delete(each.pod);
            cache.forget(podInfoOf(podOf(each.pod, 0)).uid);
          } else {
            const info = podInfoOf(podOf(each.pod, each.version));
            const nodeName = `n${each.node}`;
            if (each.do === 'assume' && pods.has(each.pod)) continue;
            if (each.do === 'assume') cache.assume(info, nodeName);
            else cache.setPod(info, nodeName);
            pods.set(each.pod, { info, nodeName, isAssumed: each.do === 'assume' });
          }
        }
        snapshot.update();
        const fresh = new SchedulerCache();
        for (const node of nodes.values()) fresh.setNode(node);
        for (const { info, nodeName } of pods.values()) fresh.setPod(info, nodeName);
        const scratch = new Snapshot(fresh);
        scratch.update();
        const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);
        expect(snapshot.nodes.map(describeNode).sort(byName)).toEqual(scratch.nodes.map(describeNode).sort(byName));
        expect(counted(cache)).toEqual(counted(fresh));
        expect(snapshot.domains('zone')).toEqual(scratch.domains('zone'));
        for (const node of snapshot.nodes) expect(snapshot.node(node.name)).toBe(node);
      }),
      { numRuns: 300 },
    );
  });

  test('copies only the nodes that changed', () => {
    const cache = new SchedulerCache();
    for (const id of [0, 1, 2]) cache.setNode(nodeOf(id, 1));
    const snapshot = new Snapshot(cache);
    snapshot.update();
    const before = [...snapshot.nodes];
    cache.setPod(podInfoOf(podOf(1, 1)), 'n1');
    snapshot.update();
    expect(snapshot.nodes.map((node, at) => node === before[at])).toEqual([true, false, true]);
    expect(before[1]?.pods).toEqual([]);
  });

  test('zones alternate', () => {
    const cache = new SchedulerCache();
    for (const [name, zone] of [
      ['a1', 'a'],
      ['a2', 'a'],
      ['a3', 'a'],
      ['b1', 'b'],
      ['none', undefined],
    ] as const) {
      cache.setNode(testNode(name, zone === undefined ? {} : { labels: { 'topology.kubernetes.io/zone': zone } }));
    }
    expect(alternateZones([...cache.nodes.values()]).map(({ name }) => name)).toEqual(['a1', 'b1', 'none', 'a2', 'a3']);
  });
});
