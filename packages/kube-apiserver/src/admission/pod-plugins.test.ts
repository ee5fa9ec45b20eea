import { pods, priorityClasses, serviceAccounts } from '@orrery/api';
import type { Pod } from '@orrery/api/core/v1';
import { newVirtualClock } from '@orrery/base';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

let api: TestApi;
const clock = newVirtualClock();
beforeAll(async () => {
  api = await startTestApi({ clock, admission: { serviceAccount: { mountTokens: true } } });
  await api.client.create(serviceAccounts, { metadata: { namespace, name: 'default' }, imagePullSecrets: [{ name: 'pull' }] } as never);
  await api.client.create(serviceAccounts, { metadata: { namespace, name: 'quiet' }, automountServiceAccountToken: false } as never);
});
afterAll(() => api.close());

const namespace = 'default';
const create = (name: string, spec: object = {}, at = namespace): Promise<Pod> =>
  api.client.create(pods, { metadata: { namespace: at, name }, spec: { containers: [{ name: 'c', image: 'a:1' }], ...spec } });

describe('ServiceAccount', () => {
  test('gives the default account, its pull secrets and a token', async () => {
    const { spec } = await create('plain');
    expect(spec).toMatchObject({ serviceAccountName: 'default', serviceAccount: 'default', imagePullSecrets: [{ name: 'pull' }] });
    const [volume] = spec.volumes ?? [];
    expect(volume?.name).toMatch(/^kube-api-access-[a-z0-9]{5}$/);
    expect(spec.containers[0]?.volumeMounts).toEqual([
      { name: volume?.name, readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
    ]);
  });

  test('no token where none is wanted', async () => {
    expect((await create('quiet', { serviceAccountName: 'quiet' })).spec.volumes).toBeUndefined();
    expect((await create('off', { automountServiceAccountToken: false })).spec.volumes).toBeUndefined();
  });

  test('an account that is not there', async () => {
    await expect(create('lost', { serviceAccountName: 'nobody' })).rejects.toThrow(
      'pods "lost" is forbidden: error looking up service account default/nobody: serviceaccount "nobody" not found',
    );
  });

  test('waits a moment for the default account of a new namespace', async () => {
    const asked = create('early', {}, 'kube-public');
    await clock.advance(250);
    await api.client.create(serviceAccounts, { metadata: { namespace: 'kube-public', name: 'default' } } as never);
    await clock.advance(2_000);
    expect((await asked).spec.serviceAccountName).toBe('default');
  });
});

describe('DefaultTolerationSeconds', () => {
  test('adds what is missing', async () => {
    const { spec } = await create('tolerant', {
      tolerations: [{ key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 }],
    });
    expect(spec.tolerations).toEqual([
      { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 },
      { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
    ]);
  });

  test('not for pods that tolerate everything', async () => {
    expect((await create('stoic', { tolerations: [{ operator: 'Exists' }] })).spec.tolerations).toEqual([{ operator: 'Exists' }]);
  });
});

describe('Priority', () => {
  test('no class', async () => {
    expect((await create('normal')).spec).toMatchObject({ priority: 0, preemptionPolicy: 'PreemptLowerPriority' });
  });

  test('a system class', async () => {
    expect((await create('critical', { priorityClassName: 'system-node-critical' })).spec.priority).toBe(2_000_001_000);
  });

  test('a class that is not there', async () => {
    await expect(create('x', { priorityClassName: 'nope' })).rejects.toThrow(
      'pods "x" is forbidden: no PriorityClass with name nope was found',
    );
  });

  test('a number of its own', async () => {
    await expect(create('x', { priority: 5 })).rejects.toThrow(
      'the integer value of priority (5) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name',
    );
  });

  test('the default class, of which there is one', async () => {
    await api.client.create(priorityClasses, {
      metadata: { name: 'usual' },
      value: 7,
      globalDefault: true,
      preemptionPolicy: 'Never',
    } as never);
    expect((await create('by-default')).spec).toMatchObject({ priorityClassName: 'usual', priority: 7, preemptionPolicy: 'Never' });
    const second = api.client.create(priorityClasses, { metadata: { name: 'other' }, value: 8, globalDefault: true } as never);
    await expect(second).rejects.toThrow('already marked as default');
  });

  test("names with system- are the system's", async () => {
    const mine = api.client.create(priorityClasses, { metadata: { name: 'system-mine' }, value: 8 } as never);
    await expect(mine).rejects.toThrow("priority class names with 'system-' prefix are reserved for system use only");
  });
});
