import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type Json, shellPod, useContainers } from './fixture.ts';
import { type Neighbour, startNeighbour } from './neighbour.ts';

const DISK_MIB = 512;
const PIDS = 48;

const suite = useContainers('hostile-node', [`--pod-max-pids=${PIDS}`], { diskMib: DISK_MIB });
let neighbour: Neighbour;
beforeAll(async () => {
  neighbour = await startNeighbour(suite());
});
afterAll(() => neighbour.stop());

const eventOf = (name: string, reason: string): Promise<Json> =>
  eventually(async () => {
    const { items } = await suite().get<{ readonly items: readonly Json[] }>(
      `events?fieldSelector=involvedObject.name=${name},reason=${reason}`,
    );
    const [found] = items;
    if (found === undefined) throw new Error(`no event ${reason} of ${name}`);
    return found;
  }, 60_000);

const nodeOf = async (): Promise<Json> => {
  const { items } = await suite().get<{ readonly items: readonly Json[] }>('/api/v1/nodes');
  const [node] = items;
  if (node === undefined) throw new Error('no node');
  return node;
};

const diskPressure = async (): Promise<Json | undefined> => {
  const { conditions } = (await nodeOf())['status'] as unknown as { readonly conditions: readonly Json[] };
  return conditions.find((each) => `${each['type']}` === 'DiskPressure');
};

test('a pod that forks without end stops at its limit, and goes when it is deleted', { timeout: 120_000 }, async () => {
  const script = 'bomb() { while :; do bomb & done; }; echo begins; bomb & bomb & while :; do sleep 1; done';
  await suite().create(shellPod('bomb', script, { container: { resources: { limits: { cpu: '500m' } } } }));
  await suite().ready('bomb');
  await eventually(async () => expect(await suite().logs('bomb')).toMatch(/can't fork/), 60_000);
  await neighbour.look();
  await suite().delete('pods/bomb');
  await eventually(async () => expect((await suite().ask('pods/bomb')).status).toBe(404), 60_000);
  await neighbour.look();
});

test('a pod that takes too much memory is killed, alone', { timeout: 60_000 }, async () => {
  await suite().create(shellPod('eater', 'head -c 200m /dev/zero | tail', { container: { resources: { limits: { memory: '16Mi' } } } }));
  const found = await suite().pod('eater', (pod) => `${pod['status']?.['phase']}` === 'Failed', 'killed');
  expect(found['status']).toMatchObject({ containerStatuses: [{ state: { terminated: { reason: 'OOMKilled', exitCode: 137 } } }] });
  await neighbour.look();
});

describe('a full disk', () => {
  /** Objects that the API server said it had kept. */
  const kept: string[] = [];
  const refusals: string[] = [];
  let writing = true;
  let writer: Promise<void>;

  beforeAll(() => {
    writer = (async () => {
      for (let i = 0; writing; i++) {
        const body = JSON.stringify({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: `kept-${i}` },
          data: { filling: 'x'.repeat(10_000) },
        });
        const answer = await suite().ask('configmaps', { method: 'POST', body, headers: { 'content-type': 'application/json' } });
        if (answer.status === 201) kept.push(`kept-${i}`);
        else refusals.push(`${answer.status} ${answer.body}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    })();
  });
  afterAll(async () => {
    writing = false;
    await writer;
  });

  test('costs the pod that filled it, which is told', { timeout: 120_000 }, async () => {
    await suite().create(
      shellPod('filler', 'dd if=/dev/zero of=/data/big bs=1M; echo full; sleep 1000', {
        spec: { volumes: [{ name: 'data', emptyDir: {} }] },
        container: { volumeMounts: [{ name: 'data', mountPath: '/data' }] },
      }),
    );
    const evicted = await suite().pod('filler', (pod) => `${pod['status']?.['phase']}` === 'Failed', 'evicted');
    expect(evicted['status']).toMatchObject({ reason: 'Evicted' });
    expect(`${evicted['status']?.['message']}`).toMatch(
      /^The node was low on resource: ephemeral-storage\. Threshold quantity: \S+, available: \S+\. (Container c was using \S+, request is 0, has larger consumption of ephemeral-storage\. )?$/,
    );
    expect(evicted['status']?.['conditions']).toContainEqual(
      expect.objectContaining({ type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet' }),
    );
    expect(await eventOf('filler', 'Evicted')).toMatchObject({ type: 'Warning', message: `${evicted['status']?.['message']}` });
    await neighbour.look();
  });

  test('keeps new pods away until there is room', { timeout: 180_000 }, async () => {
    await eventually(async () => expect(await diskPressure()).toMatchObject({ status: 'True', reason: 'KubeletHasDiskPressure' }), 30_000);
    await eventually(async () =>
      expect((await nodeOf())['spec']?.['taints']).toContainEqual(
        expect.objectContaining({ key: 'node.kubernetes.io/disk-pressure', effect: 'NoSchedule' }),
      ),
    );
    await suite().create(shellPod('later', 'echo ran'));
    expect(`${(await eventOf('later', 'FailedScheduling'))['message']}`).toContain('1 node(s) had untolerated taint(s)');
    expect(await eventually(() => suite().output('later'), 120_000)).toBe('ran\n');
    expect(await diskPressure()).toMatchObject({ status: 'False', reason: 'KubeletHasNoDiskPressure' });
    await neighbour.look();
  });

  test('loses nothing that was acknowledged, and refuses in plain words', { timeout: 60_000 }, async () => {
    writing = false;
    await writer;
    const { items } = await suite().get<{ readonly items: readonly { readonly metadata: { readonly name: string } }[] }>('configmaps');
    const there = new Set(items.map(({ metadata }) => metadata.name));
    expect(kept.filter((name) => !there.has(name))).toEqual([]);
    expect(kept.length).toBeGreaterThan(10);
    for (const refusal of refusals) expect(refusal).toMatch(/no space left on device/);
  });
});
