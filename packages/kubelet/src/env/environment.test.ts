import type { ConfigMap, Container, Pod, Secret } from '@orrery/api/core/v1';
import { newNotFound } from '@orrery/apimachinery';
import { describe, expect, test } from 'vitest';
import { makeEnvironment } from './environment.ts';
import { formatMap, podField } from './field-ref.ts';
import type { References } from './references.ts';
import { resourceField } from './resource-field.ts';
import { serviceVariables, withApiServer } from './services.ts';

const metadata = (name: string) => ({ name, namespace: 'ns', uid: `${name}-uid`, resourceVersion: '1', creationTimestamp: '' });
const facts = { podIps: ['10.0.0.5', 'fd00::5'], hostIps: ['192.0.2.1'], nodeName: 'n1' };
const self: Container = {
  name: 'c',
  resources: { requests: { cpu: '250m', memory: '64Mi' }, limits: { memory: '1Gi' } },
};
const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { ...metadata('p'), labels: { b: '2', a: 'one "two"' }, annotations: { 'x/y': 'z' } },
  spec: { containers: [self, { name: 'other', resources: { limits: { cpu: '2' } } }], serviceAccountName: 'sa', nodeName: 'n1' },
  status: {},
};
const allocatable = { cpu: '4', memory: '8Gi' };
const maps: Readonly<Record<string, Record<string, string>>> = { cm: { K: 'v', 'bad=key': 'x', 'also.fine': 'y' } };
const references: References = {
  async configMap(_, name): Promise<ConfigMap> {
    const data = maps[name];
    if (data === undefined) throw newNotFound({ group: '', resource: 'configmaps' }, name);
    return { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata(name), data };
  },
  async secret(_, name): Promise<Secret> {
    if (name !== 's') throw newNotFound({ group: '', resource: 'secrets' }, name);
    return { apiVersion: 'v1', kind: 'Secret', metadata: metadata(name), data: { PW: Buffer.from('geheim').toString('base64') } };
  },
};

async function environment(container: Partial<Container>, told: string[] = []): Promise<Record<string, string>> {
  const variables = await makeEnvironment({
    pod,
    container: { ...self, ...container },
    facts,
    references,
    allocatable,
    serviceVariables: [
      { name: 'KUBERNETES_SERVICE_HOST', value: '10.96.0.1' },
      { name: 'OWN', value: 'from service' },
    ],
    onInvalidKeys: (message) => told.push(message),
  });
  return Object.fromEntries(variables.map(({ name, value }) => [name, value]));
}

describe('makeEnvironment', () => {
  test('later variables see earlier ones and Services; own names win over Services', async () => {
    const env = [
      { name: 'OWN', value: 'mine' },
      { name: 'REF', value: '$(OWN) $(KUBERNETES_SERVICE_HOST) $(LATER) $$(OWN)' },
      { name: 'LATER', value: 'x' },
    ];
    expect(await environment({ env })).toEqual({
      OWN: 'mine',
      REF: 'mine 10.96.0.1 $(LATER) $(OWN)',
      LATER: 'x',
      KUBERNETES_SERVICE_HOST: '10.96.0.1',
    });
  });

  test('envFrom with prefix; keys that are no names are told', async () => {
    const told: string[] = [];
    const got = await environment({ envFrom: [{ prefix: 'P_', configMapRef: { name: 'cm' } }, { secretRef: { name: 's' } }] }, told);
    expect(got).toMatchObject({ P_K: 'v', 'P_also.fine': 'y', PW: 'geheim' });
    expect(told).toEqual([
      'Keys [P_bad=key] from the EnvFrom configMap ns/cm were skipped since they are considered invalid environment variable names.',
    ]);
  });

  const missing = [
    ['a ConfigMap', { env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'none', key: 'k' } } }] }, 'configmap "none" not found'],
    ['a key', { env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'cm', key: 'k' } } }] }, "couldn't find key k in ConfigMap ns/cm"],
    ['a Secret', { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'none', key: 'k' } } }] }, 'secret "none" not found'],
    ['a Secret key', { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] }, "couldn't find key k in Secret ns/s"],
    ['envFrom', { envFrom: [{ secretRef: { name: 'none' } }] }, 'secret "none" not found'],
  ] as const;
  for (const [what, container, message] of missing) {
    test(`refuses without ${what}`, async () => await expect(environment(container)).rejects.toThrow(message));
  }

  test('leaves out what is optional and absent', async () => {
    const env = [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'none', key: 'k', optional: true } } }];
    expect(await environment({ env, envFrom: [{ configMapRef: { name: 'none', optional: true } }] })).not.toHaveProperty('A');
  });
});

describe('podField', () => {
  const cases = [
    ['metadata.name', 'p'],
    ['metadata.namespace', 'ns'],
    ['metadata.uid', 'p-uid'],
    ["metadata.labels['b']", '2'],
    ["metadata.annotations['x/y']", 'z'],
    ["metadata.labels['none']", ''],
    ['metadata.labels', 'a="one \\"two\\""\nb="2"'],
    ['spec.nodeName', 'n1'],
    ['spec.serviceAccountName', 'sa'],
    ['status.podIP', '10.0.0.5'],
    ['status.podIPs', '10.0.0.5,fd00::5'],
    ['status.hostIP', '192.0.2.1'],
  ] as const;
  for (const [path, want] of cases) test(path, () => expect(podField(path, pod, facts)).toBe(want));
  test('others are refused', () => expect(() => podField('spec.containers', pod, facts)).toThrow('unsupported fieldPath: spec.containers'));
  test('an empty map is empty', () => expect(formatMap(undefined)).toBe(''));
});

describe('resourceField', () => {
  const cases = [
    [{ resource: 'requests.cpu' }, '1'],
    [{ resource: 'requests.cpu', divisor: '1m' }, '250'],
    [{ resource: 'limits.cpu' }, '4'],
    [{ resource: 'limits.memory', divisor: '1Mi' }, '1024'],
    [{ resource: 'requests.memory' }, String(64 * 1024 * 1024)],
    [{ resource: 'limits.cpu', containerName: 'other' }, '2'],
    [{ resource: 'limits.memory', containerName: 'other', divisor: '1Gi' }, '8'],
    [{ resource: 'requests.memory', containerName: 'other' }, '0'],
  ] as const;
  for (const [ref, want] of cases) test(JSON.stringify(ref), () => expect(resourceField(ref, pod, self, allocatable)).toBe(want));
});

describe('serviceVariables', () => {
  const make = (name: string, namespace: string, clusterIP: string) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...metadata(name), namespace },
    spec: {
      clusterIP,
      ports: [
        { name: 'web', port: 80, protocol: 'TCP' },
        { name: 'dns-udp', port: 53, protocol: 'UDP' },
      ],
    },
    status: {},
  });
  const services = [
    make('my-db', 'ns', '10.0.0.9'),
    make('else', 'other', '10.0.0.8'),
    make('none', 'ns', 'None'),
    make('kubernetes', 'default', '10.96.0.1'),
  ];
  const asMap = (links: boolean) => Object.fromEntries(serviceVariables(services, 'ns', links).map(({ name, value }) => [name, value]));

  test('own namespace and the API server', () => {
    const got = asMap(true);
    expect(got).toMatchObject({
      MY_DB_SERVICE_HOST: '10.0.0.9',
      MY_DB_SERVICE_PORT: '80',
      MY_DB_SERVICE_PORT_DNS_UDP: '53',
      MY_DB_PORT: 'tcp://10.0.0.9:80',
      MY_DB_PORT_80_TCP: 'tcp://10.0.0.9:80',
      MY_DB_PORT_80_TCP_PROTO: 'tcp',
      MY_DB_PORT_53_UDP_ADDR: '10.0.0.9',
      KUBERNETES_SERVICE_HOST: '10.96.0.1',
    });
    expect(Object.keys(got).some((name) => name.startsWith('ELSE_') || name.startsWith('NONE_'))).toBe(false);
  });
  test('without links, the API server alone', () =>
    expect(Object.keys(asMap(false)).every((name) => name.startsWith('KUBERNETES_'))).toBe(true));
  test('the API server may be told to be elsewhere', () =>
    expect(serviceVariables(withApiServer(services, { host: '127.0.0.1', port: 6443 }), 'ns', false)).toContainEqual({
      name: 'KUBERNETES_SERVICE_PORT',
      value: '6443',
    }));
});
