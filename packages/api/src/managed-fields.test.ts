import type { JsonObject, ManagedFieldsEntry } from '@orrery/apimachinery';
import { createTwoWayMergePatch, isStatusError, serverSideApply, strategicMergePatch, trackUpdate } from '@orrery/apimachinery';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { schemas } from './schemas.ts';

const time = '2026-01-01T00:00:00Z';
const leaf = {};
const service = schemas.struct('io.k8s.api.core.v1.Service');
const deployment = schemas.struct('io.k8s.api.apps.v1.Deployment');
const pod = schemas.struct('io.k8s.api.core.v1.Pod');

describe('owners of real kinds', () => {
  test('a Deployment made by kubectl', () => {
    const object: JsonObject = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'default', labels: { app: 'web' } },
      spec: {
        progressDeadlineSeconds: 600,
        replicas: 1,
        selector: { matchLabels: { app: 'web' } },
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: { containers: [{ name: 'nginx', image: 'nginx', resources: {} }], dnsPolicy: 'ClusterFirst', securityContext: {} },
        },
      },
      status: {},
    };
    const [entry] = trackUpdate(deployment, undefined, object, { manager: 'kubectl-create', apiVersion: 'apps/v1', time });
    expect(entry?.fieldsV1).toEqual({
      'f:metadata': { 'f:labels': { '.': leaf, 'f:app': leaf } },
      'f:spec': {
        'f:progressDeadlineSeconds': leaf,
        'f:replicas': leaf,
        'f:selector': leaf,
        'f:strategy': { 'f:rollingUpdate': { '.': leaf, 'f:maxSurge': leaf, 'f:maxUnavailable': leaf }, 'f:type': leaf },
        'f:template': {
          'f:metadata': { 'f:labels': { '.': leaf, 'f:app': leaf } },
          'f:spec': {
            'f:containers': { 'k:{"name":"nginx"}': { '.': leaf, 'f:image': leaf, 'f:name': leaf, 'f:resources': leaf } },
            'f:dnsPolicy': leaf,
            'f:securityContext': leaf,
          },
        },
      },
    });
  });

  test('ports of a Service are told apart by number and protocol, TCP where none is given', () => {
    const config = (protocol?: string): JsonObject => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'dns', namespace: 'default' },
      spec: {
        ports: [
          { port: 53, name: 'tcp', ...(protocol === undefined ? {} : { protocol }) },
          { port: 53, name: 'udp', protocol: 'UDP' },
        ],
      },
    });
    const options = { manager: 'helm', apiVersion: 'v1', time };
    const { object, managedFields } = serverSideApply(service, undefined, config(), options);
    const ports = { 'f:name': leaf, 'f:port': leaf };
    expect(managedFields[0]?.fieldsV1).toEqual({
      'f:spec': {
        'f:ports': {
          'k:{"port":53,"protocol":"TCP"}': { '.': leaf, ...ports },
          'k:{"port":53,"protocol":"UDP"}': { '.': leaf, ...ports, 'f:protocol': leaf },
        },
      },
    });
    const live = withEntries(object, managedFields);
    expect(serverSideApply(service, live, config(), options).changed).toBe(false);
  });

  test('a container removed by its only applier goes, with what others set in it', () => {
    const config = (names: readonly string[]): JsonObject => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', namespace: 'default' },
      spec: { containers: names.map((name) => ({ name, image: 'a' })) },
    });
    const options = { manager: 'helm', apiVersion: 'v1', time };
    const first = serverSideApply(pod, undefined, config(['a', 'b']), options);
    const second = serverSideApply(pod, withEntries(first.object, first.managedFields), config(['a']), options);
    expect((second.object['spec'] as JsonObject)['containers']).toEqual([{ name: 'a', image: 'a' }]);
  });
});

function withEntries(object: JsonObject, managedFields: readonly ManagedFieldsEntry[]): JsonObject {
  return {
    ...object,
    metadata: { ...(object['metadata'] as JsonObject), uid: 'u', managedFields: managedFields as unknown as readonly JsonObject[] },
  };
}

describe('strategic merge of real kinds', () => {
  const names = fc.constantFrom('a', 'b', 'c');
  const env = fc.uniqueArray(fc.record({ name: names, value: fc.constantFrom('1', '2') }), { selector: ({ name }) => name });
  const container = fc.record({ image: fc.constantFrom('x', 'y'), env, command: fc.array(names, { maxLength: 2 }) }, { requiredKeys: [] });
  const containers = fc
    .uniqueArray(fc.tuple(names, container), { selector: ([name]) => name })
    .map((list) => list.map(([name, rest]) => ({ name, ...rest })));
  const volume = fc.oneof(
    fc.constant({ emptyDir: {} }),
    fc.constant({ configMap: { name: 'x' } }),
    fc.constant({ hostPath: { path: '/' } }),
  );
  const volumes = fc
    .uniqueArray(fc.tuple(names, volume), { selector: ([name]) => name })
    .map((list) => list.map(([name, rest]) => ({ name, ...rest })));
  const pods = fc.record({
    metadata: fc.record({ labels: fc.dictionary(names, names) }),
    spec: fc.record({ containers, volumes }, { requiredKeys: [] }),
  });

  test('a created patch leads from one pod to the other', () => {
    fc.assert(
      fc.property(pods, pods, (before, after) => {
        const patch = createTwoWayMergePatch(pod, before as unknown as JsonObject, after as unknown as JsonObject);
        expect(strategicMergePatch(pod, before as unknown as JsonObject, patch)).toEqual(after);
      }),
      { numRuns: 300 },
    );
  });

  const ports = fc.uniqueArray(fc.record({ port: fc.constantFrom(1, 2, 3), name: names }), { selector: ({ port }) => port });
  const services = fc.record({ spec: fc.record({ ports, selector: fc.dictionary(names, names) }, { requiredKeys: [] }) });

  test('a created patch leads from one Service to the other', () => {
    fc.assert(
      fc.property(services, services, (before, after) => {
        const patch = createTwoWayMergePatch(service, before as unknown as JsonObject, after as unknown as JsonObject);
        expect(strategicMergePatch(service, before as unknown as JsonObject, patch)).toEqual(after);
      }),
      { numRuns: 300 },
    );
  });

  test('kubectl scale and set image', () => {
    const before: JsonObject = {
      spec: {
        replicas: 1,
        template: {
          spec: {
            containers: [
              { name: 'a', image: '1' },
              { name: 'b', image: '1' },
            ],
          },
        },
      },
    };
    const patch = {
      spec: {
        template: { spec: { '$setElementOrder/containers': [{ name: 'a' }, { name: 'b' }], containers: [{ name: 'b', image: '2' }] } },
      },
    };
    expect(strategicMergePatch(deployment, before, patch)).toEqual({
      spec: {
        replicas: 1,
        template: {
          spec: {
            containers: [
              { name: 'a', image: '1' },
              { name: 'b', image: '2' },
            ],
          },
        },
      },
    });
  });

  test('a field that the kind does not have is named', () => {
    try {
      strategicMergePatch(pod, { spec: { nope: { a: 1 } } }, { spec: { nope: { b: 2 } } });
      expect.unreachable();
    } catch (error) {
      expect(isStatusError(error) ? error.message : error).toBe('unable to find api field in struct PodSpec for the json field "nope"');
    }
  });
});
