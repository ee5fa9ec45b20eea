import type { Pod, PodAffinityTerm, TopologySpreadConstraint } from '@orrery/api/core/v1';
import { selectorFromSet } from '@orrery/apimachinery';
import { describe, expect, test } from 'vitest';
import { newPluginBench } from '../testing/plugin-bench.ts';
import { type PodFields, testNode, testPod } from '../testing/scripted-cluster.ts';

const nodes = [
  testNode('a1', { labels: { zone: 'a' } }),
  testNode('a2', { labels: { zone: 'a' } }),
  testNode('b1', { labels: { zone: 'b' } }),
  testNode('bare'),
];
const web = { app: 'web' };
const term = (fields: Partial<PodAffinityTerm> = {}): PodAffinityTerm => ({
  topologyKey: 'zone',
  labelSelector: { matchLabels: web },
  ...fields,
});
const wants = (...terms: PodAffinityTerm[]): PodFields => ({
  spec: { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } } },
});
const shuns = (...terms: PodAffinityTerm[]): PodFields => ({
  spec: { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: terms } } },
});
const on = (nodeName: string, fields: PodFields = {}): Pod => testPod(`on-${nodeName}`, { labels: web, nodeName, ...fields });
const noMatch = "node(s) didn't match pod affinity rules";
const repelled = "node(s) didn't match pod anti-affinity rules";
const keptAway = "node(s) didn't satisfy existing pods anti-affinity rules";

describe('InterPodAffinity', () => {
  const other = { metadata: { name: 'other', labels: { team: 'x' } } } as never;
  test.each<{ name: string; pods: Pod[]; pod: PodFields; want: Record<string, string> }>([
    { name: 'affinity to a pod in the zone', pods: [on('a1')], pod: wants(term()), want: { a1: '', a2: '', b1: noMatch, bare: noMatch } },
    { name: 'nobody to be near', pods: [], pod: wants(term()), want: { a1: noMatch, a2: noMatch, b1: noMatch, bare: noMatch } },
    { name: 'first of its own kind', pods: [], pod: { ...wants(term()), labels: web }, want: { a1: '', a2: '', b1: '', bare: noMatch } },
    {
      name: 'pods of another namespace do not count',
      pods: [on('a1', { namespace: 'other' })],
      pod: wants(term()),
      want: { a1: noMatch, a2: noMatch, b1: noMatch, bare: noMatch },
    },
    {
      name: 'a namespace by name',
      pods: [on('a1', { namespace: 'other' })],
      pod: wants(term({ namespaces: ['other'] })),
      want: { a1: '', a2: '', b1: noMatch, bare: noMatch },
    },
    {
      name: 'a namespace by labels',
      pods: [on('a1', { namespace: 'other' })],
      pod: wants(term({ namespaceSelector: { matchLabels: { team: 'x' } } })),
      want: { a1: '', a2: '', b1: noMatch, bare: noMatch },
    },
    {
      name: 'every namespace',
      pods: [on('b1', { namespace: 'other' })],
      pod: wants(term({ namespaceSelector: {} })),
      want: { a1: noMatch, a2: noMatch, b1: '', bare: noMatch },
    },
    {
      name: 'one pod must match all terms',
      pods: [on('a1')],
      pod: wants(term(), term({ labelSelector: { matchLabels: { tier: 'x' } } })),
      want: { a1: noMatch, a2: noMatch, b1: noMatch, bare: noMatch },
    },
    { name: 'anti-affinity', pods: [on('a1')], pod: shuns(term()), want: { a1: repelled, a2: repelled, b1: '', bare: '' } },
    {
      name: 'anti-affinity by host',
      pods: [on('a1')],
      pod: shuns(term({ topologyKey: 'kubernetes.io/hostname' })),
      want: { a1: repelled, a2: '', b1: '', bare: '' },
    },
    {
      name: 'existing pods shun this one',
      pods: [on('b1', shuns(term()))],
      pod: { labels: web },
      want: { a1: '', a2: '', b1: keptAway, bare: '' },
    },
    {
      name: 'existing pods shun others',
      pods: [on('b1', shuns(term()))],
      pod: { labels: { app: 'db' } },
      want: { a1: '', a2: '', b1: '', bare: '' },
    },
    {
      name: 'matchLabelKeys',
      pods: [on('a1', { labels: { ...web, v: '1' } })],
      pod: { ...shuns(term({ matchLabelKeys: ['v'] })), labels: { v: '2' } },
      want: { a1: '', a2: '', b1: '', bare: '' },
    },
  ])('$name', ({ pods, pod, want }) => {
    expect(newPluginBench({ nodes, pods, namespaces: [other], plugins: [{ name: 'InterPodAffinity' }] }).filter(testPod('p', pod))).toEqual(
      want,
    );
  });

  test('preferences of the pod and of others score', () => {
    const prefers = (weight: number, key: 'podAffinity' | 'podAntiAffinity'): PodFields => ({
      labels: web,
      spec: { affinity: { [key]: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight, podAffinityTerm: term() }] } } },
    });
    const score = (pods: Pod[], pod: PodFields) =>
      newPluginBench({ nodes, pods, plugins: [{ name: 'InterPodAffinity' }] }).score(testPod('p', pod));
    expect(score([on('a1')], prefers(5, 'podAffinity'))).toEqual({ a1: 100, a2: 100, b1: 0, bare: 0 });
    expect(score([on('a1')], prefers(5, 'podAntiAffinity'))).toEqual({ a1: 0, a2: 0, b1: 100, bare: 100 });
    expect(score([on('b1', prefers(5, 'podAffinity'))], { labels: web })).toEqual({ a1: 0, a2: 0, b1: 100, bare: 0 });
    expect(score([on('b1', wants(term()))], { labels: web })).toEqual({ a1: 0, a2: 0, b1: 100, bare: 0 });
    expect(score([], { labels: web })).toEqual({ a1: 0, a2: 0, b1: 0, bare: 0 });
  });
});

describe('PodTopologySpread', () => {
  const skewed = "node(s) didn't match pod topology spread constraints";
  const missing = `${skewed} (missing required label)`;
  const spread = (fields: Partial<TopologySpreadConstraint> = {}, spec: Partial<Pod['spec']> = {}): PodFields => ({
    labels: web,
    spec: {
      topologySpreadConstraints: [
        { topologyKey: 'zone', maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: web }, ...fields },
      ],
      ...spec,
    },
  });
  test.each<{ name: string; pods: Pod[]; pod: PodFields; want: Record<string, string> }>([
    { name: 'empty', pods: [], pod: spread(), want: { a1: '', a2: '', b1: '', bare: missing } },
    { name: 'the fuller zone is closed', pods: [on('a1')], pod: spread(), want: { a1: skewed, a2: skewed, b1: '', bare: missing } },
    { name: 'a larger skew', pods: [on('a1')], pod: spread({ maxSkew: 2 }), want: { a1: '', a2: '', b1: '', bare: missing } },
    {
      name: 'a pod that does not count itself',
      pods: [on('a1')],
      pod: { ...spread(), labels: {} },
      want: { a1: '', a2: '', b1: '', bare: missing },
    },
    {
      name: 'pods that are being deleted do not count',
      pods: [on('a1', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } })],
      pod: spread(),
      want: { a1: '', a2: '', b1: '', bare: missing },
    },
    {
      name: 'too few domains',
      pods: [on('a1'), on('b1')],
      pod: spread({ minDomains: 3 }),
      want: { a1: skewed, a2: skewed, b1: skewed, bare: missing },
    },
    {
      name: 'only nodes that the pod may go to count',
      pods: [on('a1')],
      pod: spread({}, { nodeSelector: { zone: 'a' } }),
      want: { a1: '', a2: '', b1: '', bare: missing },
    },
    {
      name: 'all nodes count',
      pods: [on('a1')],
      pod: spread({ nodeAffinityPolicy: 'Ignore' }, { nodeSelector: { zone: 'a' } }),
      want: { a1: skewed, a2: skewed, b1: '', bare: missing },
    },
    {
      name: 'matchLabelKeys',
      pods: [on('a1', { labels: { ...web, v: '1' } })],
      pod: { ...spread({ matchLabelKeys: ['v'] }), labels: { ...web, v: '2' } },
      want: { a1: '', a2: '', b1: '', bare: missing },
    },
  ])('$name', ({ pods, pod, want }) => {
    expect(newPluginBench({ nodes, pods, plugins: [{ name: 'PodTopologySpread' }] }).filter(testPod('p', pod))).toEqual(want);
  });

  test('tainted nodes count unless told otherwise', () => {
    const tainted = [
      testNode('a', { labels: { zone: 'a' } }),
      testNode('b', { labels: { zone: 'b' }, spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } }),
    ];
    const filter = (pod: PodFields) =>
      newPluginBench({ nodes: tainted, pods: [on('a')], plugins: [{ name: 'PodTopologySpread' }] }).filter(testPod('p', pod));
    expect(filter(spread())).toEqual({ a: skewed, b: '' });
    expect(filter(spread({ nodeTaintsPolicy: 'Honor' }))['a']).toBe('');
  });

  test('soft constraints and system defaults score', () => {
    const soft = newPluginBench({ nodes, pods: [on('a1')], plugins: [{ name: 'PodTopologySpread' }] }).score(
      testPod('p', spread({ whenUnsatisfiable: 'ScheduleAnyway' })),
    );
    expect(soft).toEqual({ a1: 0, a2: 0, b1: 100, bare: 0 });
    const byDefault = newPluginBench({
      nodes,
      pods: [on('a1')],
      plugins: [{ name: 'PodTopologySpread' }],
      siblings: selectorFromSet(web),
    }).score(testPod('p', { labels: web }));
    expect(byDefault['a1']).toBeLessThan(byDefault['a2'] ?? 0);
  });
});
