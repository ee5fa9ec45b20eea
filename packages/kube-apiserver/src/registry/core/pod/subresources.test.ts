import { nodes, pods } from '@orrery/api';
import type { Pod } from '@orrery/api/core/v1';
import { isNotFound } from '@orrery/apimachinery';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApi, type TestApi } from '../../../testing/test-api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
  await api.client.create(nodes, { metadata: { name: 'n1' }, spec: {} });
});
afterAll(() => api.close());

const namespace = 'default';
const container = { name: 'main', image: 'app:1' };
const create = (name: string, spec: Partial<Pod['spec']> = {}): Promise<Pod> =>
  api.client.create(pods, { metadata: { namespace, name }, spec: { containers: [container], ...spec } });
const bind = (name: string, node = 'n1'): Promise<unknown> =>
  api.client.createSubresource(pods, { namespace, name }, 'binding', {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { namespace, name, annotations: { by: 'test' } },
    target: { kind: 'Node', name: node },
  });

describe('pods/binding', () => {
  test('puts a pod on a node', async () => {
    await create('bound');
    await bind('bound');
    const pod = await api.client.get(pods, { namespace, name: 'bound' });
    expect(pod.spec.nodeName).toBe('n1');
    expect(pod.metadata.annotations).toEqual({ by: 'test' });
    expect(pod.metadata.generation).toBe(1);
    expect(pod.status.conditions).toMatchObject([{ type: 'PodScheduled', status: 'True' }]);
  });

  test('only once', async () => {
    await create('twice');
    await bind('twice');
    await expect(bind('twice', 'n2')).rejects.toThrow(
      'Operation cannot be fulfilled on pods/binding "twice": pod twice is already assigned to node "n1"',
    );
  });

  test('not while it is gated', async () => {
    const gated = await create('gated', { schedulingGates: [{ name: 'example.com/wait' }] });
    expect(gated.status.conditions).toMatchObject([{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }]);
    await expect(bind('gated')).rejects.toThrow('pod gated has non-empty .spec.schedulingGates');
  });
});

describe('deletion', () => {
  test('a pod that runs nowhere goes at once', async () => {
    await create('unscheduled');
    await api.client.delete(pods, { namespace, name: 'unscheduled' });
    await expect(api.client.get(pods, { namespace, name: 'unscheduled' })).rejects.toSatisfy(isNotFound);
  });

  test('a pod on a node waits for its grace period', async () => {
    await create('scheduled');
    await bind('scheduled');
    await api.client.delete(pods, { namespace, name: 'scheduled' });
    const { metadata } = await api.client.get(pods, { namespace, name: 'scheduled' });
    expect(metadata.deletionGracePeriodSeconds).toBe(30);
  });

  test('eviction deletes', async () => {
    await create('evicted');
    const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { namespace, name: 'evicted' } };
    await api.client.createSubresource(pods, { namespace, name: 'evicted' }, 'eviction', body);
    await expect(api.client.get(pods, { namespace, name: 'evicted' })).rejects.toSatisfy(isNotFound);
  });
});

describe('parts of a pod', () => {
  test('ephemeral containers are added, and stay', async () => {
    const pod = await create('debugged');
    const ephemeral = { name: 'debug', image: 'busybox:1', targetContainerName: 'main' };
    const next = { ...pod, spec: { ...pod.spec, ephemeralContainers: [ephemeral], terminationGracePeriodSeconds: 1 } };
    const updated = await api.client.update(pods, next, { subresource: 'ephemeralcontainers' });
    expect(updated.spec.ephemeralContainers).toMatchObject([{ name: 'debug', terminationMessagePolicy: 'File' }]);
    expect(updated.spec.terminationGracePeriodSeconds).toBe(30);
    expect(updated.metadata.generation).toBe(2);
    const without = { ...updated, spec: { ...updated.spec, ephemeralContainers: [] } };
    await expect(api.client.update(pods, without, { subresource: 'ephemeralcontainers' })).rejects.toThrow(
      'existing ephemeral containers "debug" may not be removed',
    );
  });

  test('resize changes cpu and memory alone', async () => {
    const resources = { requests: { cpu: '100m' }, limits: { cpu: '200m' } };
    const pod = await create('resized', { containers: [{ ...container, resources }] });
    const bigger = {
      ...container,
      ...pod.spec.containers[0],
      resources: { requests: { cpu: '150m' }, limits: { cpu: '200m' } },
      image: 'other:1',
    };
    const updated = await api.client.update(pods, { ...pod, spec: { ...pod.spec, containers: [bigger] } }, { subresource: 'resize' });
    expect(updated.spec.containers[0]).toMatchObject({ image: 'app:1', resources: { requests: { cpu: '150m' } } });
  });

  test('status keeps the spec and the qos class', async () => {
    const pod = await create('reported');
    const reported = { ...pod, spec: { ...pod.spec, hostname: 'x' }, status: { phase: 'Running' } };
    const updated = await api.client.updateStatus(pods, reported);
    expect(updated.spec.hostname).toBeUndefined();
    expect(updated.status).toMatchObject({ phase: 'Running', qosClass: 'BestEffort' });
    expect(updated.metadata.generation).toBe(1);
  });
});

test('resize of the whole pod', async () => {
  const pod = await create('pod-level', { resources: { requests: { cpu: '100m' }, limits: { cpu: '1' } } });
  const bigger = { ...pod, spec: { ...pod.spec, resources: { requests: { cpu: '200m' }, limits: { cpu: '1' } } } };
  const updated = await api.client.update(pods, bigger, { subresource: 'resize' });
  expect(updated.spec.resources?.requests).toEqual({ cpu: '200m' });
  const less = { ...updated, spec: { ...updated.spec, resources: { requests: { cpu: '200m' } } } };
  await expect(api.client.update(pods, less, { subresource: 'resize' })).rejects.toThrow('resource limits cannot be removed');
});
