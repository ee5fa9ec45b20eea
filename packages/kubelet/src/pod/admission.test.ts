import type { Container, Node, Pod, PodSpec } from '@orrery/api/core/v1';
import { describe, expect, test } from 'vitest';
import { admit } from './admission.ts';
import { podRequests } from './resources.ts';

const metadata = (name: string) => ({ name, uid: name, resourceVersion: '1', creationTimestamp: '' });
const node: Node = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { ...metadata('n1'), labels: { zone: 'a', size: '7' } },
  spec: {
    taints: [
      { key: 'dedicated', value: 'x', effect: 'NoExecute' },
      { key: 'soft', effect: 'NoSchedule' },
    ],
  },
  status: { allocatable: { cpu: '2', memory: '4Gi', pods: '3' } },
};
const tolerations = [{ key: 'dedicated', operator: 'Exists' }];
const asks = (cpu: string, extra: Partial<Container> = {}): Container => ({ name: 'c', resources: { requests: { cpu } }, ...extra });
const makePod = (spec: Partial<PodSpec>): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: metadata('p'),
  spec: { containers: [{ name: 'c' }], tolerations, ...spec },
  status: {},
});
const withPort = (hostPort: number, hostIP?: string): Partial<PodSpec> => ({
  containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort, ...(hostIP === undefined ? {} : { hostIP }) }] }],
});
const requires = (operator: string, key: string, ...values: string[]): Partial<PodSpec> => ({
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key, operator, values }] }] },
    },
  },
});

describe('admit', () => {
  const cases: readonly (readonly [string, Partial<PodSpec>, readonly Partial<PodSpec>[], string | undefined])[] = [
    ['a small pod', { containers: [asks('1')] }, [], undefined],
    ['exactly what is left', { containers: [asks('1')] }, [{ containers: [asks('1')] }], undefined],
    ['a cpu too much', { containers: [asks('1500m')] }, [{ containers: [asks('1')] }], 'OutOfcpu'],
    ['a resource the node lacks', { containers: [{ name: 'c', resources: { requests: { 'x.io/gpu': '1' } } }] }, [], 'OutOfx.io/gpu'],
    ['one pod too many', {}, [{}, {}, {}], 'OutOfpods'],
    ['the node selector', { nodeSelector: { zone: 'b' } }, [], 'NodeAffinity'],
    ['a selector that matches', { nodeSelector: { zone: 'a' } }, [], undefined],
    ['required affinity', requires('In', 'zone', 'b', 'c'), [], 'NodeAffinity'],
    ['affinity by number', requires('Gt', 'size', '5'), [], undefined],
    ['affinity by absence', requires('DoesNotExist', 'zone'), [], 'NodeAffinity'],
    ['a NoExecute taint', { tolerations: [] }, [], 'TaintToleration'],
    ['a NoExecute taint of another value', { tolerations: [{ key: 'dedicated', value: 'y' }] }, [], 'TaintToleration'],
    ['a host port that is taken', withPort(8080), [withPort(8080)], 'NodePorts'],
    ['the same port of another address', withPort(8080, '10.0.0.1'), [withPort(8080, '10.0.0.2')], undefined],
    ['the same port of every address', withPort(8080), [withPort(8080, '10.0.0.2')], 'NodePorts'],
  ];
  for (const [name, spec, others, want] of cases) {
    test(name, () => expect(admit(makePod(spec), node, others.map(makePod))?.reason).toBe(want));
  }
  test('says what is lacking', () =>
    expect(admit(makePod({ containers: [asks('1500m')] }), node, [makePod({ containers: [asks('1')] })])?.message).toBe(
      "Node didn't have enough resource: cpu, requested: 1500, used: 1000, capacity: 2000",
    ));
});

test('podRequests: sidecars count with everything, other init containers only for their moment', () => {
  const initContainers = [asks('3', { name: 'i' }), asks('500m', { name: 's', restartPolicy: 'Always' }), asks('1', { name: 'j' })];
  expect(podRequests(makePod({ initContainers, containers: [asks('1')], overhead: { cpu: '100m' } }))['cpu']).toBe('3100m');
  expect(podRequests(makePod({ initContainers: initContainers.slice(1), containers: [asks('2')] }))['cpu']).toBe('2500m');
});
