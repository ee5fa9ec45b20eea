import type { Pod, Service, ServiceSpec } from '@orrery/api/core/v1';
import type { EndpointSlice } from '@orrery/api/discovery/v1';
import { expect, test } from 'vitest';
import { planSlices } from './slice-plan.ts';

const service = (spec: Partial<ServiceSpec> = {}): Service =>
  ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'ns', uid: 'svc', labels: { tier: 'x', 'kubernetes.io/service-name': 'forged' } },
    spec: {
      selector: { app: 'web' },
      ipFamilies: ['IPv4'],
      clusterIP: '10.0.0.1',
      ports: [{ port: 80, targetPort: 'http', protocol: 'TCP' }],
      ...spec,
    },
  }) as never;
const pod = (name: string, more: { ips?: string[]; ready?: boolean; port?: number; going?: boolean; phase?: string } = {}): Pod => {
  const { ips = ['10.1.0.1'], ready = true, port = 8080, going = false, phase = 'Running' } = more;
  return {
    metadata: { name, namespace: 'ns', uid: name, ...(going ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}) },
    spec: { nodeName: 'n', containers: [{ name: 'c', ports: [{ name: 'http', containerPort: port }] }] },
    status: { phase, podIPs: ips.map((ip) => ({ ip })), conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  } as never;
};
const node = { metadata: { name: 'n', labels: { 'topology.kubernetes.io/zone': 'z' } } } as never;
const plan = (svc: Service, pods: readonly Pod[], slices: readonly EndpointSlice[] = []) =>
  planSlices({ service: svc, pods, slices, nodeOf: (name) => (name === 'n' ? node : undefined), endpointsMax: 100 });
const conditionsOf = (svc: Service, one: Pod) => plan(svc, [one]).creates[0]?.endpoints?.[0]?.conditions;

test.each([
  ['ready', {}, false, { ready: true, serving: true, terminating: false }],
  ['not ready', { ready: false }, false, { ready: false, serving: false, terminating: false }],
  ['going, still serving', { going: true }, false, { ready: false, serving: true, terminating: true }],
  ['not ready, but published', { ready: false }, true, { ready: true, serving: false, terminating: false }],
  ['has run its course', { phase: 'Succeeded' }, false, undefined],
  ['without an address', { ips: [] }, false, undefined],
])('a pod that is %s', (_name, more, publishNotReadyAddresses, expected) => {
  expect(conditionsOf(service({ publishNotReadyAddresses }), pod('a', more))).toEqual(expected);
});

test('a slice has the service’s labels, zone and node', () => {
  const [slice] = plan(service(), [pod('a')]).creates;
  expect(slice?.metadata.labels).toEqual({
    tier: 'x',
    'kubernetes.io/service-name': 'web',
    'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
  });
  expect(slice?.endpoints?.[0]).toMatchObject({ nodeName: 'n', zone: 'z' });
  expect(slice?.endpoints?.[0]?.hints).toBeUndefined();
});

test.each([
  ['PreferClose', { forZones: [{ name: 'z' }] }],
  ['PreferSameZone', { forZones: [{ name: 'z' }] }],
  ['PreferSameNode', { forNodes: [{ name: 'n' }], forZones: [{ name: 'z' }] }],
])('traffic distribution %s', (trafficDistribution, hints) => {
  expect(plan(service({ trafficDistribution }), [pod('a')]).creates[0]?.endpoints?.[0]?.hints).toEqual(hints);
});

test('two families: slices for each', () => {
  const { creates } = plan(service({ ipFamilies: ['IPv4', 'IPv6'] }), [pod('a', { ips: ['10.1.0.1', 'fd00::1'] })]);
  expect(creates.map(({ addressType, endpoints }) => [addressType, endpoints?.[0]?.addresses])).toEqual([
    ['IPv4', ['10.1.0.1']],
    ['IPv6', ['fd00::1']],
  ]);
});

test('no pods: one empty slice, which stays; it is filled when one comes', () => {
  const empty = plan(service(), []).creates;
  expect(empty.map(({ ports, endpoints }) => [ports, endpoints])).toEqual([[[], []]]);
  const stored = { ...empty[0], metadata: { ...empty[0]?.metadata, name: 'web-1', uid: 's' } } as unknown as EndpointSlice;
  expect(plan(service(), [], [stored])).toMatchObject({ creates: [], updates: [], deletes: [] });
  const filled = plan(service(), [pod('a')], [stored]);
  expect(filled).toMatchObject({ creates: [], deletes: [], updates: [{ metadata: { name: 'web-1' }, ports: [{ port: 8080 }] }] });
  expect(filled.updates).toHaveLength(1);
});

test('slices of another family, and of an earlier service of this name, go', () => {
  const [made] = plan(service(), [pod('a')]).creates;
  const stored = (name: string, more: object) =>
    ({ ...made, metadata: { ...made?.metadata, name, uid: name }, ...more }) as unknown as EndpointSlice;
  const v6 = stored('v6', { addressType: 'IPv6' });
  const old = {
    ...stored('old', {}),
    metadata: { ...stored('old', {}).metadata, ownerReferences: [{ kind: 'Service', uid: 'before' }] },
  } as never;
  const { deletes, creates } = plan(service(), [pod('a')], [v6, old]);
  expect(deletes.map(({ metadata }) => metadata.name).sort()).toEqual(['old', 'v6']);
  expect(creates).toHaveLength(1);
});

test('a pod whose node does not exist is left out, unless addresses are published in any case', () => {
  const lost = { ...pod('a'), spec: { ...pod('a').spec, nodeName: 'gone' } } as Pod;
  expect(plan(service(), [lost]).withoutNode).toEqual([lost]);
  expect(plan(service(), [lost]).creates[0]?.endpoints).toEqual([]);
  expect(plan(service({ publishNotReadyAddresses: true }), [lost]).creates[0]?.endpoints).toHaveLength(1);
});
