import { events, leases, namespaces, nodes, pods } from '@orrery/api';
import type { Node, Toleration } from '@orrery/api/core/v1';
import { formatMicroTime, formatTime, isNotFound } from '@orrery/apimachinery';
import { newVirtualClock } from '@orrery/base';
import { expect, test } from 'vitest';
import { startCluster } from './index.ts';

const NOT_READY = 'node.kubernetes.io/not-ready';
const UNREACHABLE = 'node.kubernetes.io/unreachable';

/** Pods that say nothing tolerate an outage for 300 s: admission sees to it. */
const impatient: Toleration = { key: UNREACHABLE, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 0 };

/** A cluster in virtual time: the test plays the kubelets. */
async function world() {
  const clock = newVirtualClock();
  const cluster = await clock.runFor(startCluster({ clock, scheduler: false }));
  const { client } = cluster;
  const alive = new Set<string>();
  const turns = async (): Promise<void> => {
    for (let turn = 0; turn < 40; turn += 1) await clock.advance(0); // Work takes turns of the event loop, not time.
  };
  const renew = async (name: string): Promise<void> => {
    const key = { namespace: 'kube-node-lease', name };
    const spec = { holderIdentity: name, leaseDurationSeconds: 40, renewTime: formatMicroTime(clock.now()) };
    try {
      const lease = await client.get(leases, key);
      await client.update(leases, { ...lease, spec });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      await client.create(leases, { metadata: key, spec });
    }
  };
  await client.create(namespaces, { metadata: { name: 'ns' }, spec: {} });
  const node = (name: string) => client.get(nodes, { name });
  const post = async (name: string, ready: string, more: Readonly<Record<string, string>> = {}): Promise<void> => {
    const current = await node(name);
    const now = formatTime(clock.now());
    const conditions = Object.entries({ MemoryPressure: 'False', DiskPressure: 'False', PIDPressure: 'False', Ready: ready, ...more }).map(
      ([type, status]) => ({ type, status, reason: 'Test', message: 'test', lastHeartbeatTime: now, lastTransitionTime: now }),
    );
    await client.updateStatus(nodes, { ...current, status: { ...current.status, conditions } });
  };
  return {
    clock,
    client,
    node,
    post,
    alive,
    [Symbol.asyncDispose]: () => clock.runFor(cluster.dispose()),
    /** Lets time pass; nodes that are alive renew their leases. */
    async pass(ms: number) {
      await turns();
      for (let left = ms; left > 0; left -= 5000) {
        for (const name of alive) await renew(name);
        await clock.advance(Math.min(5000, left));
        await turns();
      }
    },
    async addNode(name: string, ready: string | null = 'True') {
      await client.create(nodes, { metadata: { name, labels: { 'kubernetes.io/hostname': name } }, spec: {} });
      if (ready !== null) {
        alive.add(name);
        await renew(name);
        await post(name, ready);
      }
      await turns();
    },
    async addPod(name: string, nodeName: string, tolerations: readonly Toleration[] = []) {
      const made = await client.create(pods, {
        metadata: { name, namespace: 'ns' },
        spec: { nodeName, tolerations, terminationGracePeriodSeconds: 0, containers: [{ name: 'c', image: 'x' }] },
      });
      const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: formatTime(clock.now()) }];
      await client.updateStatus(pods, { ...made, status: { ...made.status, phase: 'Running', conditions } });
      await turns();
    },
    async pod(name: string) {
      const all = await client.list(pods, { namespace: 'ns' });
      return all.items.find(({ metadata }) => metadata.name === name);
    },
    async eventsOf(kind: string, namespace: string) {
      const all = await client.list(events, { namespace });
      return all.items.filter(({ involvedObject }) => involvedObject.kind === kind).map(({ reason, message }) => `${reason}: ${message}`);
    },
  };
}

const taintsOf = ({ spec }: Node) => (spec.taints ?? []).map(({ key, effect }) => `${key}:${effect}`).sort();
const conditionOf = ({ status }: Node, type: string) => (status.conditions ?? []).find((condition) => condition.type === type);

test('a node that falls silent becomes Unknown, is tainted and loses its pods; when it comes back it is clean', async () => {
  await using w = await world();
  await w.addNode('a');
  await w.addNode('b');
  await w.addPod('web', 'a', [impatient]);
  await w.addPod('patient', 'a');
  await w.addPod('daemon', 'a', [{ operator: 'Exists' }]);
  await w.pass(60_000);
  expect(taintsOf(await w.node('a'))).toEqual([]);
  w.alive.delete('a');
  await w.pass(35_000);
  expect(conditionOf(await w.node('a'), 'Ready')?.status).toBe('True');
  await w.pass(20_000);
  const lost = await w.node('a');
  expect(conditionOf(lost, 'Ready')).toMatchObject({
    status: 'Unknown',
    reason: 'NodeStatusUnknown',
    message: 'Kubelet stopped posting node status.',
  });
  expect(conditionOf(lost, 'MemoryPressure')).toMatchObject({ status: 'Unknown', reason: 'NodeStatusUnknown' });
  expect(taintsOf(lost)).toEqual([`${UNREACHABLE}:NoExecute`, `${UNREACHABLE}:NoSchedule`]);
  expect(lost.spec.taints?.every(({ timeAdded }) => timeAdded !== undefined)).toBe(true);
  expect(await w.pod('web')).toBeUndefined();
  const patient = await w.pod('patient');
  expect(patient?.status.conditions?.find(({ type }) => type === 'Ready')?.status).toBe('False');
  expect(taintsOf(await w.node('b'))).toEqual([]);
  await w.pass(310_000);
  expect(await w.pod('patient')).toBeUndefined();
  expect(await w.pod('daemon')).toBeDefined();
  expect(await w.eventsOf('Pod', 'ns')).toEqual(
    expect.arrayContaining(['TaintManagerEviction: Marking for deletion Pod ns/web', 'NodeNotReady: Node is not ready']),
  );
  expect(await w.eventsOf('Node', 'default')).toEqual(
    expect.arrayContaining([
      'RegisteredNode: Node a event: Registered Node a in Controller',
      'NodeNotReady: Node a status is now: NodeNotReady',
    ]),
  );
  w.alive.add('a');
  await w.post('a', 'True');
  await w.pass(10_000);
  expect(taintsOf(await w.node('a'))).toEqual([]);
});

test('a node that never says anything becomes Unknown after a minute', async () => {
  await using w = await world();
  await w.addNode('a');
  await w.addNode('mute', null);
  await w.pass(50_000);
  expect((await w.node('mute')).status.conditions).toBeUndefined();
  await w.pass(20_000);
  const mute = await w.node('mute');
  for (const type of ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure']) {
    expect(conditionOf(mute, type)).toMatchObject({
      status: 'Unknown',
      reason: 'NodeStatusNeverUpdated',
      message: 'Kubelet never posted node status.',
      lastHeartbeatTime: mute.metadata.creationTimestamp,
    });
  }
  expect(taintsOf(mute)).toEqual([`${UNREACHABLE}:NoExecute`, `${UNREACHABLE}:NoSchedule`]);
});

test('conditions and cordoning are marked by taints at once', async () => {
  await using w = await world();
  await w.addNode('a', 'False');
  await w.addNode('b');
  expect(taintsOf(await w.node('a'))).toEqual([`${NOT_READY}:NoSchedule`]);
  await w.post('a', 'True', { MemoryPressure: 'True', NetworkUnavailable: 'True' });
  await w.client.patch(nodes, { name: 'a' }, 'merge', { spec: { unschedulable: true } });
  await w.pass(100);
  expect(taintsOf(await w.node('a'))).toEqual([
    'node.kubernetes.io/memory-pressure:NoSchedule',
    'node.kubernetes.io/network-unavailable:NoSchedule',
    'node.kubernetes.io/unschedulable:NoSchedule',
  ]);
  await w.post('a', 'True', { NetworkUnavailable: 'False' });
  await w.client.patch(nodes, { name: 'a' }, 'merge', { spec: { unschedulable: null } });
  await w.pass(100);
  expect(taintsOf(await w.node('a'))).toEqual([]);
});

test('when all nodes fall silent at once, nothing is evicted', async () => {
  await using w = await world();
  await w.addNode('a');
  await w.addNode('b');
  await w.addPod('web', 'a', [impatient]);
  await w.pass(10_000);
  w.alive.clear();
  await w.pass(120_000);
  expect(conditionOf(await w.node('a'), 'Ready')?.status).toBe('Unknown');
  expect(taintsOf(await w.node('a'))).toEqual([`${UNREACHABLE}:NoSchedule`]);
  expect(await w.pod('web')).toBeDefined();
  w.alive.add('b');
  await w.post('b', 'True');
  await w.pass(20_000);
  expect(taintsOf(await w.node('b'))).toEqual([]);
  expect(taintsOf(await w.node('a'))).toContain(`${UNREACHABLE}:NoExecute`);
  expect(await w.pod('web')).toBeUndefined();
});

test('nodes of a zone are emptied one after the other', async () => {
  await using w = await world();
  const names = ['a', 'b', 'c', 'd', 'e'];
  for (const name of names) await w.addNode(name);
  await w.pass(10_000);
  w.alive.delete('a');
  w.alive.delete('b');
  const emptied = async (): Promise<number> => {
    const all = await Promise.all(names.map((name) => w.node(name)));
    return all.filter((node) => taintsOf(node).includes(`${UNREACHABLE}:NoExecute`)).length;
  };
  await w.pass(50_000);
  expect(await emptied()).toBe(1);
  await w.pass(10_000);
  expect(await emptied()).toBe(2);
});

test('a taint with effect NoExecute evicts who does not tolerate it; taking it away in time saves the others', async () => {
  await using w = await world();
  await w.addNode('a');
  await w.addPod('quick', 'a');
  await w.addPod('saved', 'a', [{ key: 'k', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 60 }]);
  await w.client.patch(nodes, { name: 'a' }, 'merge', { spec: { taints: [{ key: 'k', value: 'v', effect: 'NoExecute' }] } });
  await w.pass(30_000);
  expect(await w.pod('quick')).toBeUndefined();
  await w.client.patch(nodes, { name: 'a' }, 'merge', { spec: { taints: null } });
  await w.pass(60_000);
  expect(await w.pod('saved')).toBeDefined();
  expect(await w.eventsOf('Pod', 'ns')).toEqual([
    'TaintManagerEviction: Marking for deletion Pod ns/quick',
    'TaintManagerEviction: Cancelling deletion of Pod ns/saved',
  ]);
});

test('pods of a node that is gone are deleted after a while, and marked as disrupted', async () => {
  await using w = await world();
  await w.addNode('a');
  await w.addPod('web', 'a');
  await w.client.patch(pods, { namespace: 'ns', name: 'web' }, 'merge', { metadata: { finalizers: ['example.com/keep'] } });
  await w.client.delete(nodes, { name: 'a' });
  await w.pass(35_000);
  expect((await w.pod('web'))?.status.phase).toBe('Running');
  await w.pass(35_000);
  const web = await w.pod('web');
  expect(web?.metadata.deletionTimestamp).toBeDefined();
  expect(web?.status.phase).toBe('Failed');
  expect(web?.status.conditions?.find(({ type }) => type === 'DisruptionTarget')).toMatchObject({
    status: 'True',
    reason: 'DeletionByPodGC',
    message: 'PodGC: node no longer exists',
  });
});
