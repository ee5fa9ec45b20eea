import { randomInt } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type Json, shellPod, useContainers } from './fixture.ts';

// Where pods may run and what they may ask for.
const suite = useContainers('scheduling');

const sleeps = 'trap "exit 0" TERM; while :; do sleep 0.1; done';
const fresh = (name: string): string => `${name}-${randomInt(1_000_000)}`;
const quantityMilli = (text: string): number => (text.endsWith('m') ? Number(text.slice(0, -1)) : Number(text) * 1000);
const node = async (): Promise<Json> => ((await suite().get<{ items: readonly Json[] }>('/api/v1/nodes')).items[0] ?? {}) as Json;
const gone = async (...names: readonly string[]): Promise<void> => {
  for (const name of names) await suite().ask(`pods/${name}?gracePeriodSeconds=0`, { method: 'DELETE' });
};
const unschedulable = async (name: string, message: string | RegExp): Promise<void> => {
  const condition = ({ status }: Json): Json | undefined =>
    ((status?.['conditions'] ?? []) as unknown as readonly Json[]).find(({ type }) => `${type}` === 'PodScheduled');
  const found = await suite().pod(name, (each) => `${condition(each)?.['status']}` === 'False', 'refused by the scheduler');
  expect(condition(found)).toMatchObject({ reason: 'Unschedulable', message: expect.stringMatching(message) });
  const { items } = await suite().get<{ items: { reason: string; message: string }[] }>(`events?fieldSelector=involvedObject.name=${name}`);
  expect(items.map(({ reason, message: told }) => `${reason} ${told}`).join('\n')).toMatch(/^FailedScheduling 0\/1 nodes are available: /m);
};

describe('the scheduler', () => {
  test('sums requests exactly, tells what is short, and goes on when there is room', async () => {
    const whole = quantityMilli(`${(await node())['status']?.['allocatable']?.['cpu']}`);
    const { items } = await suite().get<{ items: readonly Json[] }>('/api/v1/pods');
    const held = items
      .filter(({ status }) => !['Succeeded', 'Failed'].includes(`${status?.['phase']}`))
      .flatMap(({ spec }) => spec?.['containers'] as unknown as readonly Json[])
      .reduce((sum, each) => sum + quantityMilli(`${each['resources']?.['requests']?.['cpu'] ?? '0'}`), 0);
    const asks = (name: string, milli: number): object =>
      shellPod(name, sleeps, { container: { resources: { requests: { cpu: `${milli}m` }, limits: { cpu: `${milli}m` } } } });
    const [filler, more, less] = ['filler', 'more', 'less'].map(fresh) as [string, string, string];
    await suite().create(asks(filler, whole - held - 1));
    await suite().ready(filler);
    await suite().create(asks(more, 2), asks(less, 1));
    await suite().ready(less);
    await unschedulable(more, /^0\/1 nodes are available: 1 Insufficient cpu\./);
    await gone(filler);
    await suite().ready(more);
    await gone(more, less);
  });

  test('waits for a node with the labels that a pod selects', async () => {
    const [picky, label] = [fresh('picky'), fresh('label')];
    const path = `/api/v1/nodes/${(await node())['metadata']?.['name']}`;
    await suite().create(shellPod(picky, sleeps, { spec: { nodeSelector: { [label]: '42' } } }));
    await unschedulable(picky, "1 node\\(s\\) didn't match Pod's node affinity/selector");
    await suite().patch(path, { metadata: { labels: { [label]: '42' } } });
    try {
      await suite().ready(picky);
    } finally {
      await suite().patch(path, { metadata: { labels: { [label]: null } } });
      await gone(picky);
    }
  });

  test('keeps host ports apart; one on every address meets those of one address', async () => {
    const hostPort = 20_000 + randomInt(10_000);
    const at = (name: string, more: object): object =>
      shellPod(name, sleeps, { container: { ports: [{ containerPort: 8080, hostPort, ...more }] } });
    const [everywhere, loopback, datagrams] = ['everywhere', 'loopback', 'datagrams'].map(fresh) as [string, string, string];
    await suite().create(at(everywhere, { hostIP: '0.0.0.0' }));
    await suite().ready(everywhere);
    await suite().create(at(loopback, { hostIP: '127.0.0.1' }), at(datagrams, { hostIP: '127.0.0.1', protocol: 'UDP' }));
    await suite().ready(datagrams);
    await unschedulable(loopback, "1 node\\(s\\) didn't have free ports for the requested pod ports");
    await gone(everywhere);
    await suite().ready(loopback);
    await gone(loopback, datagrams);
  });

  test('takes the place of a pod for a critical one', async () => {
    const whole = quantityMilli(`${(await node())['status']?.['allocatable']?.['cpu']}`);
    const requests = { cpu: `${Math.floor(whole * 0.6)}m` };
    const [low, critical] = ['low', 'critical'].map(fresh) as [string, string];
    await suite().create(shellPod(low, sleeps, { container: { resources: { requests } } }));
    await suite().ready(low);
    await suite().create(
      shellPod(critical, sleeps, { spec: { priorityClassName: 'system-node-critical' }, container: { resources: { requests } } }),
    );
    await suite().ready(critical);
    expect((await suite().ask(`pods/${low}`)).status).toBe(404);
    await gone(critical);
  });

  test('a PriorityClass may be described anew, but keeps its value', async () => {
    const name = fresh('class');
    await suite().cluster.kubectl(['create', 'priorityclass', name, '--value=7']);
    const path = `/apis/scheduling.k8s.io/v1/priorityclasses/${name}`;
    expect(await suite().patch(path, { description: 'new', globalDefault: false })).toMatchObject({ value: 7, description: 'new' });
    await expect(suite().patch(path, { value: 8 })).rejects.toThrow(/422 .*may not be changed in an update/);
    await suite().delete(path);
  });
});

describe('limit ranges', () => {
  test('give defaults, refuse what is out of bounds, and count from the moment they change', async () => {
    const { create, patch, get } = suite();
    const name = fresh('limits');
    const amounts = (cpu: string, memory: string, storage: string): object => ({ cpu, memory, 'ephemeral-storage': storage });
    const pod = (podName: string, requests: object, limits: object): object =>
      shellPod(podName, 'true', { spec: { nodeSelector: { nowhere: 'x' } }, container: { resources: { requests, limits } } });
    await create({
      apiVersion: 'v1',
      kind: 'LimitRange',
      metadata: { name },
      spec: {
        limits: [
          {
            type: 'Container',
            min: amounts('50m', '100Mi', '100Gi'),
            max: amounts('500m', '500Mi', '500Gi'),
            default: amounts('500m', '500Mi', '500Gi'),
            defaultRequest: amounts('100m', '200Mi', '200Gi'),
          },
        ],
      },
    });
    const [plain, partly, low, high] = ['plain', 'partly', 'low', 'high'].map(fresh) as [string, string, string, string];
    try {
      await create(pod(plain, {}, {}), pod(partly, { cpu: '300m', memory: '150Mi' }, { memory: '300Mi' }));
      const resourcesOf = async (podName: string): Promise<unknown> =>
        (await get<{ spec: { containers: [{ resources: object }] } }>(`pods/${podName}`)).spec.containers[0].resources;
      expect(await resourcesOf(plain)).toEqual({ requests: amounts('100m', '200Mi', '200Gi'), limits: amounts('500m', '500Mi', '500Gi') });
      expect(await resourcesOf(partly)).toEqual({
        requests: amounts('300m', '150Mi', '200Gi'),
        limits: amounts('500m', '300Mi', '500Gi'),
      });
      await expect(create(pod(low, amounts('10m', '50Mi', '50Gi'), {}))).rejects.toThrow(
        'minimum cpu usage per Container is 50m, but request is 10m',
      );
      await expect(create(pod(high, {}, amounts('600m', '600Mi', '600Gi')))).rejects.toThrow(
        /403 .*maximum memory usage per Container is 500Mi, but limit is 600Mi/,
      );
      const limits = [{ type: 'Container', min: amounts('9m', '10Mi', '10Gi') }];
      await suite().ask(`limitranges/${name}`, {
        method: 'PATCH',
        headers: { 'content-type': 'application/merge-patch+json' },
        body: JSON.stringify({ spec: { limits } }),
      });
      await create(pod(low, amounts('10m', '50Mi', '50Gi'), {}));
    } finally {
      await suite().delete(`limitranges/${name}`);
    }
    await create(pod(high, {}, amounts('600m', '600Mi', '600Gi')));
    await patch(`pods/${high}`, { metadata: { labels: { high: 'yes' } } });
    await gone(plain, partly, low, high);
    await eventually(async () => expect((await suite().ask(`limitranges/${name}`)).status).toBe(404));
  });
});
