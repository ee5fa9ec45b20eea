import type { EndpointSubset, Pod, Service, ServiceSpec } from '@orrery/api/core/v1';
import { expect, test } from 'vitest';
import { desiredEndpoints } from './desired-endpoints.ts';
import { subsetsOf, truncated } from './subsets.ts';

const service = (spec: Partial<ServiceSpec> = {}): Service =>
  ({
    metadata: { name: 'web', namespace: 'ns', uid: 'svc', labels: { tier: 'x' } },
    spec: {
      selector: { app: 'web' },
      clusterIP: '10.0.0.1',
      ipFamilies: ['IPv4'],
      ports: [{ name: 'a', port: 80, targetPort: 'a' }],
      ...spec,
    },
  }) as never;
const pod = (name: string, ready: boolean, ports: Record<string, number>, ip = `10.1.0.${name}`): Pod =>
  ({
    metadata: { name, namespace: 'ns', uid: name },
    spec: {
      nodeName: 'n',
      containers: [{ name: 'c', ports: Object.entries(ports).map(([key, containerPort]) => ({ name: key, containerPort })) }],
    },
    status: { phase: 'Running', podIPs: [{ ip }], conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  }) as never;
const two = service({
  ports: [
    { name: 'a', port: 80, targetPort: 'a' },
    { name: 'b', port: 81, targetPort: 'b' },
  ],
});
const shown = (subsets: readonly EndpointSubset[]) =>
  subsets.map(({ addresses = [], notReadyAddresses = [], ports = [] }) => [
    addresses.map(({ ip }) => ip),
    notReadyAddresses.map(({ ip }) => ip),
    ports.map(({ name, port }) => `${name}:${port}`),
  ]);

test.each<[string, Service, Pod[], unknown]>([
  ['no pods', service(), [], []],
  [
    'one subset for all that is equal',
    two,
    [pod('1', true, { a: 1, b: 2 }), pod('2', true, { a: 1, b: 2 })],
    [[['10.1.0.1', '10.1.0.2'], [], ['a:1', 'b:2']]],
  ],
  ['ready and not ready apart', service(), [pod('1', true, { a: 1 }), pod('2', false, { a: 1 })], [[['10.1.0.1'], ['10.1.0.2'], ['a:1']]]],
  [
    'another number, another subset',
    service(),
    [pod('1', true, { a: 1 }), pod('2', true, { a: 2 })],
    [
      [['10.1.0.1'], [], ['a:1']],
      [['10.1.0.2'], [], ['a:2']],
    ],
  ],
  [
    'a port that a pod lacks',
    two,
    [pod('1', true, { a: 1, b: 2 }), pod('2', true, { a: 1 })],
    [
      [['10.1.0.1', '10.1.0.2'], [], ['a:1']],
      [['10.1.0.1'], [], ['b:2']],
    ],
  ],
  ['headless without ports', service({ ports: [], clusterIP: 'None' }), [pod('1', true, {})], [[['10.1.0.1'], [], []]]],
  ['not ready, published', service({ publishNotReadyAddresses: true }), [pod('1', false, { a: 1 })], [[['10.1.0.1'], [], ['a:1']]]],
  ['no address of the family', service({ ipFamilies: ['IPv6'] }), [pod('1', true, { a: 1 })], []],
])('%s', (_name, svc, pods, expected) => {
  expect(shown(subsetsOf(svc, pods))).toEqual(expected);
});

const addresses = (count: number, prefix: number) =>
  Array.from({ length: count }, (_, index) => ({ ip: `10.${prefix}.${index >> 8}.${index & 255}` }));
const sizes = (subsets: readonly EndpointSubset[] | undefined) =>
  subsets?.map((subset) => [subset.addresses?.length ?? 0, subset.notReadyAddresses?.length ?? 0]);

test.each<[string, EndpointSubset[], number[][] | undefined]>([
  ['as many as fit', [{ addresses: addresses(1000, 1) }], undefined],
  ['ready ones first', [{ addresses: addresses(900, 1), notReadyAddresses: addresses(300, 2) }], [[900, 100]]],
  [
    'in proportion',
    [{ addresses: addresses(1500, 1) }, { addresses: addresses(500, 2), notReadyAddresses: addresses(9, 3) }],
    [
      [750, 0],
      [250, 0],
    ],
  ],
])('cut off: %s', (_name, subsets, expected) => {
  expect(sizes(truncated(subsets))).toEqual(expected);
});

test('an object that is as it should be is not written', () => {
  const pods = [pod('1', true, { a: 1 })];
  const made = desiredEndpoints(service(), pods, undefined, '2026-01-01T00:00:00Z');
  expect(made?.metadata).toMatchObject({
    labels: { tier: 'x', 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' },
    annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': '2026-01-01T00:00:00Z' },
  });
  const stored = { apiVersion: 'v1', kind: 'Endpoints', ...made } as never;
  expect(desiredEndpoints(service(), pods, stored, undefined)).toBeUndefined();
  expect(desiredEndpoints(service({ clusterIP: 'None' }), pods, stored, undefined)?.metadata.labels).toHaveProperty(
    ['service.kubernetes.io/headless'],
    '',
  );
});
