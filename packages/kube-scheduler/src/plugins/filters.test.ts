import type { Node, Pod } from '@orrery/api/core/v1';
import { describe, expect, test } from 'vitest';
import { newPluginBench } from '../testing/plugin-bench.ts';
import { type PodFields, testNode, testPod } from '../testing/scripted-cluster.ts';

interface Case {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly pods?: readonly Pod[];
  readonly pod: PodFields;
  readonly want: Readonly<Record<string, string>>;
}

function run(plugin: string, cases: readonly Case[]): void {
  describe(plugin, () => {
    test.each(cases)('$name', ({ nodes, pods = [], pod, want }) => {
      expect(newPluginBench({ nodes, pods, plugins: [{ name: plugin }] }).filter(testPod('p', pod))).toEqual(want);
    });
  });
}

const taint = (key: string, effect: string, value = ''): Partial<Node['spec']> => ({ taints: [{ key, effect, value }] });

run('NodeName', [
  { name: 'none asked for', nodes: [testNode('a')], pod: {}, want: { a: '' } },
  {
    name: 'only the named one',
    nodes: [testNode('a'), testNode('b')],
    pod: { nodeName: 'b' },
    want: { a: "node(s) didn't match the requested node name", b: '' },
  },
]);

const cordoned = testNode('a', { spec: { unschedulable: true } });
run('NodeUnschedulable', [
  { name: 'cordoned', nodes: [cordoned], pod: {}, want: { a: 'node(s) were unschedulable' } },
  {
    name: 'cordoned but tolerated',
    nodes: [cordoned],
    pod: { spec: { tolerations: [{ key: 'node.kubernetes.io/unschedulable', operator: 'Exists' }] } },
    want: { a: '' },
  },
]);

const untolerated = { a: 'node(s) had untolerated taint(s)' };
run('TaintToleration', [
  { name: 'untainted', nodes: [testNode('a')], pod: {}, want: { a: '' } },
  { name: 'NoSchedule', nodes: [testNode('a', { spec: taint('k', 'NoSchedule', 'v') })], pod: {}, want: untolerated },
  { name: 'NoExecute', nodes: [testNode('a', { spec: taint('k', 'NoExecute', 'v') })], pod: {}, want: untolerated },
  {
    name: 'PreferNoSchedule does not reject',
    nodes: [testNode('a', { spec: taint('k', 'PreferNoSchedule', 'v') })],
    pod: {},
    want: { a: '' },
  },
  {
    name: 'tolerated by value',
    nodes: [testNode('a', { spec: taint('k', 'NoSchedule', 'v') })],
    pod: { spec: { tolerations: [{ key: 'k', operator: 'Equal', value: 'v' }] } },
    want: { a: '' },
  },
  {
    name: 'tolerated with another value',
    nodes: [testNode('a', { spec: taint('k', 'NoSchedule', 'v') })],
    pod: { spec: { tolerations: [{ key: 'k', value: 'w' }] } },
    want: untolerated,
  },
  {
    name: 'tolerated for another effect',
    nodes: [testNode('a', { spec: taint('k', 'NoSchedule', 'v') })],
    pod: { spec: { tolerations: [{ key: 'k', operator: 'Exists', effect: 'NoExecute' }] } },
    want: untolerated,
  },
  {
    name: 'every taint tolerated',
    nodes: [testNode('a', { spec: taint('k', 'NoExecute', 'v') })],
    pod: { spec: { tolerations: [{ operator: 'Exists' }] } },
    want: { a: '' },
  },
]);

const mismatch = "node(s) didn't match Pod's node affinity/selector";
const zones = [testNode('a', { labels: { zone: 'x', size: '5' } }), testNode('b', { labels: { zone: 'y' } })];
const required = (...nodeSelectorTerms: object[]): PodFields => ({
  spec: {
    affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: nodeSelectorTerms as never } } },
  },
});
const expression = (key: string, operator: string, ...values: string[]): object => ({ matchExpressions: [{ key, operator, values }] });
run('NodeAffinity', [
  { name: 'nodeSelector', nodes: zones, pod: { spec: { nodeSelector: { zone: 'x' } } }, want: { a: '', b: mismatch } },
  { name: 'In', nodes: zones, pod: required(expression('zone', 'In', 'y', 'z')), want: { a: mismatch, b: '' } },
  {
    name: 'NotIn, also without the label',
    nodes: [...zones, testNode('c')],
    pod: required(expression('zone', 'NotIn', 'x')),
    want: { a: mismatch, b: '', c: '' },
  },
  { name: 'Exists', nodes: zones, pod: required(expression('size', 'Exists')), want: { a: '', b: mismatch } },
  { name: 'DoesNotExist', nodes: zones, pod: required(expression('size', 'DoesNotExist')), want: { a: mismatch, b: '' } },
  { name: 'Gt', nodes: zones, pod: required(expression('size', 'Gt', '4')), want: { a: '', b: mismatch } },
  { name: 'Lt', nodes: zones, pod: required(expression('size', 'Lt', '5')), want: { a: mismatch, b: mismatch } },
  {
    name: 'one of several terms',
    nodes: zones,
    pod: required(expression('zone', 'In', 'q'), expression('zone', 'In', 'x')),
    want: { a: '', b: mismatch },
  },
  { name: 'an empty term matches nothing', nodes: zones, pod: required({}), want: { a: mismatch, b: mismatch } },
  {
    name: 'a named node',
    nodes: zones,
    pod: required({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['b'] }] }),
    want: { a: mismatch, b: '' },
  },
  {
    name: 'named nodes that exclude each other',
    nodes: zones,
    pod: required({
      matchFields: [
        { key: 'metadata.name', operator: 'In', values: ['a'] },
        { key: 'metadata.name', operator: 'In', values: ['b'] },
      ],
    }),
    want: { '*': 'pod affinity terms conflict' },
  },
]);

const port = (hostPort: number, hostIP?: string, protocol?: string): PodFields => ({
  spec: {
    containers: [
      {
        name: 'c',
        ports: [
          { containerPort: 1, hostPort, ...(hostIP === undefined ? {} : { hostIP }), ...(protocol === undefined ? {} : { protocol }) },
        ],
      },
    ],
  },
});
const taken = "node(s) didn't have free ports for the requested pod ports";
const holder = (fields: PodFields): Pod[] => [testPod('holder', { ...fields, nodeName: 'a' })];
run('NodePorts', [
  { name: 'free', nodes: [testNode('a')], pods: holder(port(80)), pod: port(81), want: { a: '' } },
  { name: 'taken', nodes: [testNode('a')], pods: holder(port(80)), pod: port(80), want: { a: taken } },
  { name: 'another protocol', nodes: [testNode('a')], pods: holder(port(80)), pod: port(80, undefined, 'UDP'), want: { a: '' } },
  { name: 'another address', nodes: [testNode('a')], pods: holder(port(80, '10.0.0.1')), pod: port(80, '10.0.0.2'), want: { a: '' } },
  { name: 'every address meets one', nodes: [testNode('a')], pods: holder(port(80, '10.0.0.1')), pod: port(80), want: { a: taken } },
]);

const asks = (requests: Record<string, string>, spec: Partial<Pod['spec']> = {}): PodFields => ({
  requests,
  spec: { containers: [{ name: 'c', resources: { requests } }], ...spec },
});
const sidecar = { name: 's', restartPolicy: 'Always', resources: { requests: { cpu: '1' } } };
run('NodeResourcesFit', [
  { name: 'exactly enough', nodes: [testNode('a')], pod: asks({ cpu: '4', memory: '32Gi' }), want: { a: '' } },
  {
    name: 'too little of two',
    nodes: [testNode('a')],
    pod: asks({ cpu: '4001m', memory: '33Gi' }),
    want: { a: 'Insufficient cpu, Insufficient memory' },
  },
  {
    name: 'taken by others',
    nodes: [testNode('a')],
    pods: holder(asks({ cpu: '3' })),
    pod: asks({ cpu: '2' }),
    want: { a: 'Insufficient cpu' },
  },
  {
    name: 'no place left',
    nodes: [testNode('a', { allocatable: { pods: '1' } })],
    pods: holder({}),
    pod: {},
    want: { a: 'Too many pods' },
  },
  {
    name: 'zero requests fit a full node',
    nodes: [testNode('a', { allocatable: { cpu: '1' } })],
    pods: holder(asks({ cpu: '2' })),
    pod: {},
    want: { a: '' },
  },
  {
    name: 'extended resource',
    nodes: [testNode('a', { allocatable: { 'example.com/gpu': '1' } })],
    pod: asks({ 'example.com/gpu': '2' }),
    want: { a: 'Insufficient example.com/gpu' },
  },
  {
    name: 'extended resource that no node has',
    nodes: [testNode('a')],
    pod: asks({ 'example.com/gpu': '1' }),
    want: { a: 'Insufficient example.com/gpu' },
  },
  {
    name: 'ephemeral storage',
    nodes: [testNode('a')],
    pod: asks({ 'ephemeral-storage': '101Gi' }),
    want: { a: 'Insufficient ephemeral-storage' },
  },
  {
    name: 'the largest init container counts',
    nodes: [testNode('a')],
    pod: asks({ cpu: '1' }, { initContainers: [{ name: 'i', resources: { requests: { cpu: '5' } } }] }),
    want: { a: 'Insufficient cpu' },
  },
  {
    name: 'sidecars count with containers',
    nodes: [testNode('a')],
    pod: asks({ cpu: '3500m' }, { initContainers: [sidecar] }),
    want: { a: 'Insufficient cpu' },
  },
  {
    name: 'sidecars count with later init containers',
    nodes: [testNode('a')],
    pod: asks({}, { initContainers: [sidecar, { name: 'i', resources: { requests: { cpu: '3500m' } } }] }),
    want: { a: 'Insufficient cpu' },
  },
  { name: 'overhead', nodes: [testNode('a')], pod: asks({ cpu: '4' }, { overhead: { cpu: '1m' } }), want: { a: 'Insufficient cpu' } },
]);

test('what exceeds the whole node cannot be helped by preemption', () => {
  const bench = newPluginBench({ nodes: [testNode('a')], pods: holder(asks({ cpu: '3' })) });
  expect(bench.statuses(testPod('p', asks({ cpu: '2' }))).byNode.get('a')?.code).toBe('Unschedulable');
  expect(bench.statuses(testPod('p', asks({ cpu: '5' }))).byNode.get('a')?.code).toBe('UnschedulableAndUnresolvable');
});
