import {
  configMaps,
  controllerRevisions,
  deployments,
  endpointSlices,
  events,
  eventsV1,
  jobs,
  limitRanges,
  nodes,
  replicaSets,
  replicationControllers,
  resourceQuotas,
  secrets,
  services,
} from '@orrery/api';
import type { KubeObject, Resource } from '@orrery/apimachinery';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

const namespace = 'default';
let count = 0;
function create<T extends KubeObject>(resource: Resource<T>, fields: object, metadata: object = {}): Promise<T> {
  const name = `x${count++}`;
  const scope = resource.namespaced ? { namespace } : {};
  return api.client.create(resource, { ...fields, metadata: { ...scope, name, ...metadata } } as never);
}
const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'i:1' }] } };
const selector = { matchLabels: { app: 'a' } };
const once = { ...template, spec: { ...template.spec, restartPolicy: 'Never' } };

describe('what is refused, and why', () => {
  const cases: [string, Resource, object, string][] = [
    [
      'deployment without selector',
      deployments,
      { spec: { template } },
      'is invalid: [spec.selector: Required value, spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`]',
    ],
    [
      'deployment with nothing to spare',
      deployments,
      { spec: { selector, template, strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } } },
      'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0',
    ],
    [
      'deployment that recreates and rolls',
      deployments,
      { spec: { selector, template, strategy: { type: 'Recreate', rollingUpdate: {} } } },
      "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
    ],
    [
      'replica set of pods that end',
      replicaSets,
      { spec: { selector, template: once } },
      'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
    ],
    ['replica set with an empty selector', replicaSets, { spec: { selector: {}, template } }, 'empty selector is invalid for deployment'],
    [
      'replication controller of other pods',
      replicationControllers,
      { spec: { selector: { app: 'b' }, template } },
      '`selector` does not match template `labels`',
    ],
    [
      'job of pods that never end',
      jobs,
      { spec: { template } },
      'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
    ],
    [
      'indexed job without completions',
      jobs,
      { spec: { completionMode: 'Indexed', parallelism: 1, template: once } },
      'spec.completions: Required value: when completion mode is Indexed',
    ],
    [
      'job with limits per index of no index',
      jobs,
      { spec: { backoffLimitPerIndex: 1, template: once } },
      'spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode',
    ],
    [
      'job with a wrong label',
      jobs,
      { spec: { template: { ...once, metadata: { labels: { 'controller-uid': 'x' } } } } },
      'spec.template.metadata.labels',
    ],
    [
      'failure policy without rule body',
      jobs,
      { spec: { template: once, podFailurePolicy: { rules: [{ action: 'FailJob' }] } } },
      'specifying one of OnExitCodes and OnPodConditions is required',
    ],
    [
      'config map key with a slash',
      configMaps,
      { data: { 'a/b': '' } },
      'data[a/b]: Invalid value: "a/b": a valid config key must consist of',
    ],
    [
      'config map key twice',
      configMaps,
      { data: { a: '' }, binaryData: { a: '' } },
      'data[a]: Invalid value: "a": duplicate of key present in binaryData',
    ],
    [
      'config map of more than 1 MiB',
      configMaps,
      { data: { a: 'x'.repeat(1024 * 1024 + 1) } },
      'Too long: may not be more than 1048576 bytes',
    ],
    ['tls secret without key', secrets, { type: 'kubernetes.io/tls', data: { 'tls.crt': '' } }, 'data[tls.key]: Required value'],
    [
      'docker secret that is no JSON',
      secrets,
      { type: 'kubernetes.io/dockerconfigjson', stringData: { '.dockerconfigjson': '{' } },
      'data[.dockerconfigjson]: Invalid value: "<secret contents redacted>"',
    ],
    ['service without ports', services, { spec: {} }, 'spec.ports: Required value'],
    ['service with nameless ports', services, { spec: { ports: [{ port: 1 }, { port: 2 }] } }, 'spec.ports[0].name: Required value'],
    [
      'service with a node port of no type',
      services,
      { spec: { ports: [{ port: 1, nodePort: 30000 }] } },
      "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
    ],
    [
      'external name with an address',
      services,
      { spec: { type: 'ExternalName', externalName: 'a.b', clusterIP: '10.0.0.1' } },
      'spec.clusterIPs: Forbidden: may not be set for ExternalName services',
    ],
    [
      'slice with no address',
      endpointSlices,
      { addressType: 'IPv4', endpoints: [{ addresses: [] }] },
      'endpoints[0].addresses: Required value: must contain at least 1 address',
    ],
    [
      'slice on loopback',
      endpointSlices,
      { addressType: 'IPv4', endpoints: [{ addresses: ['127.0.0.1'] }] },
      'may not be in the loopback range (127.0.0.0/8, ::1/128)',
    ],
    [
      'slice of the other family',
      endpointSlices,
      { addressType: 'IPv6', endpoints: [{ addresses: ['10.0.0.1'] }] },
      'endpoints[0].addresses[0]: Invalid value: "10.0.0.1": must be an IPv6 address',
    ],
    [
      'node with a taint twice',
      nodes,
      {
        spec: {
          taints: [
            { key: 'a', effect: 'NoSchedule' },
            { key: 'a', effect: 'NoSchedule' },
          ],
        },
      },
      'taints must be unique by key and effect pair',
    ],
    ['quota of nothing known', resourceQuotas, { spec: { hard: { bananas: '1' } } }, 'must be a standard resource for quota'],
    [
      'limits out of order',
      limitRanges,
      { spec: { limits: [{ type: 'Container', min: { cpu: '2' }, max: { cpu: '1' } }] } },
      'min value 2 is greater than max value 1',
    ],
    ['revision without data', controllerRevisions, { revision: 1 }, 'data: Required value: data is mandatory'],
    [
      'event about another namespace',
      events,
      { involvedObject: { namespace: 'other' } },
      'involvedObject.namespace: Invalid value: "other": does not match event.namespace',
    ],
    ['new event without time', eventsV1, { type: 'Normal', regarding: { namespace } }, 'eventTime: Required value'],
  ];
  for (const [name, resource, fields, want] of cases) test(name, () => expect(create(resource, fields)).rejects.toThrow(want));
});

test('a job is tied to its pods by its uid', async () => {
  const { metadata, spec } = await create(jobs, { spec: { template: once } });
  const labels = {
    'batch.kubernetes.io/controller-uid': metadata.uid,
    'batch.kubernetes.io/job-name': metadata.name,
    'controller-uid': metadata.uid,
    'job-name': metadata.name,
  };
  expect(spec.selector).toEqual({ matchLabels: { 'batch.kubernetes.io/controller-uid': metadata.uid } });
  expect(spec.template.metadata?.labels).toEqual({ app: 'a', ...labels });
  expect(spec).toMatchObject({
    completions: 1,
    parallelism: 1,
    backoffLimit: 6,
    completionMode: 'NonIndexed',
    suspend: false,
    podReplacementPolicy: 'TerminatingOrFailed',
  });
});

test('defaults of a deployment', async () => {
  const { spec, metadata } = await create(deployments, { spec: { selector, template } });
  expect(spec).toMatchObject({
    replicas: 1,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
  });
  expect(spec.template.spec).not.toHaveProperty('enableServiceLinks');
  expect(metadata.generation).toBe(1);
  const key = { namespace, name: metadata.name };
  const annotated = await api.client.patch(deployments, key, 'merge', { metadata: { annotations: { a: 'b' } } });
  expect(annotated.metadata.generation).toBe(2);
  await expect(
    api.client.patch(deployments, key, 'merge', {
      spec: { selector: { matchLabels: { b: 'c' } }, template: { metadata: { labels: { b: 'c' } } } },
    }),
  ).rejects.toThrow('field is immutable');
});

test('stringData lands in data', async () => {
  const secret = await create(secrets, { data: { a: 'eA==', b: 'eQ==' }, stringData: { b: 'z' } });
  expect(secret).toMatchObject({ type: 'Opaque', data: { a: 'eA==', b: 'eg==' } });
  expect(secret).not.toHaveProperty('stringData');
});

test('what is immutable stays', async () => {
  const { metadata } = await create(configMaps, { data: { a: '1' }, immutable: true });
  const change = (body: object): Promise<KubeObject> => api.client.patch(configMaps, { namespace, name: metadata.name }, 'merge', body);
  await expect(change({ data: { a: '2' } })).rejects.toThrow('data: Forbidden: field is immutable when `immutable` is set');
  await expect(change({ immutable: false })).rejects.toThrow('immutable: Forbidden: field is immutable when `immutable` is set');
  await expect(change({ metadata: { labels: { l: 'v' } } })).resolves.toBeDefined();
});

test('events are one thing with two views', async () => {
  const made = await create(eventsV1, {
    eventTime: '2026-01-01T00:00:00.000000Z',
    type: 'Normal',
    reason: 'R',
    action: 'A',
    note: 'n',
    regarding: { kind: 'Pod', name: 'p', namespace },
    reportingController: 'example.com/c',
    reportingInstance: 'i',
  });
  const core = await api.client.get(events, { namespace, name: made.metadata.name });
  expect(core).toMatchObject({
    kind: 'Event',
    apiVersion: 'v1',
    message: 'n',
    involvedObject: { name: 'p' },
    reportingComponent: 'example.com/c',
  });
  expect(core.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
  const found = await api.client.list(eventsV1, { namespace, fieldSelector: 'regarding.name=p' });
  expect(found.items.map(({ metadata }) => metadata.name)).toEqual([made.metadata.name]);
});

test('replicas through /scale', async () => {
  const { metadata } = await create(replicaSets, { spec: { selector, template } });
  const key = { namespace, name: metadata.name };
  await api.client.patch(replicaSets, key, 'merge', { spec: { replicas: 3 } }, { subresource: 'scale' });
  expect((await api.client.get(replicaSets, key)).spec.replicas).toBe(3);
});

test('the pods of a job that waits may still be sized', async () => {
  const { metadata } = await create(jobs, { spec: { suspend: true, template: once } });
  const sized = { containers: [{ name: 'c', resources: { requests: { cpu: '1' } } }], nodeSelector: { a: 'b' } };
  const change = (spec: object): Promise<KubeObject> =>
    api.client.patch(jobs, { namespace, name: metadata.name }, 'strategic', { spec: { template: { spec } } });
  await expect(change(sized)).resolves.toBeDefined();
  await expect(change({ containers: [{ name: 'c', image: 'other:1' }] })).rejects.toThrow('spec.template');
});
