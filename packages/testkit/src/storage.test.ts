import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { events, nodes, persistentVolumeClaims, persistentVolumes, pods } from '@orrery/api';
import { isNotFound, type Resource } from '@orrery/apimachinery';
import { realClock, systemRandom } from '@orrery/base';
import type { Client } from '@orrery/client';
import { silentLogger } from '@orrery/component';
import { newDirectoryProvisioner } from '@orrery/kubelet';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCluster, type TestCluster } from './test-cluster.ts';

// Claims, volumes, the scheduler and a node's provisioner together, against the real API server.
const namespace = 'default';
const stop = new AbortController();
let cluster: TestCluster;
let client: Client;
let directory = '';
let provisioner: Promise<void>;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'orrery-storage-'));
  cluster = await startCluster({ nodes: 1 });
  client = cluster.client;
  await client.patch(nodes, { name: 'node-0' }, 'merge', { metadata: { labels: { 'kubernetes.io/hostname': 'node-0' } } });
  provisioner = newDirectoryProvisioner({
    client,
    clock: realClock,
    random: systemRandom,
    log: silentLogger,
    events: { event() {} },
    nodeName: 'node-0',
    hostName: 'node-0',
    directory,
  }).run(stop.signal);
});
afterAll(async () => {
  stop.abort();
  await provisioner;
  await cluster.dispose();
  await rm(directory, { recursive: true, force: true });
});

async function until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  for (let attempts = 0; attempts < 2000; attempts += 1) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await realClock.sleep(10);
  }
  throw new Error(`did not come: ${what}`);
}
const gone = (resource: Resource, key: { readonly namespace?: string; readonly name: string }): Promise<boolean> =>
  client.get(resource, key).then(
    () => false,
    (err: unknown) => isNotFound(err),
  );
const claim = (name: string, spec: object = {}) =>
  client.create(persistentVolumeClaims, {
    metadata: { name, namespace },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
  });
const volume = (name: string, spec: object = {}) =>
  client.create(persistentVolumes, {
    metadata: { name },
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      hostPath: { path: `/tmp/${name}` },
      storageClassName: 'manual',
      ...spec,
    },
  });
const pod = (name: string, volumes: readonly object[]) =>
  client.create(pods, {
    metadata: { name, namespace },
    spec: { containers: [{ name: 'c', image: 'i' }], volumes, terminationGracePeriodSeconds: 0 },
  } as Parameters<typeof client.create<never>>[1]);
const using = (claimName: string) => [{ name: 'v', persistentVolumeClaim: { claimName } }];
const phaseOf = async (name: string) => (await client.get(persistentVolumeClaims, { namespace, name })).status?.phase;
const volumePhase = async (name: string) => (await client.get(persistentVolumes, { name })).status?.phase;
const running = (name: string) =>
  until(`${name} Running`, async () => (await client.get(pods, { namespace, name })).status?.phase === 'Running');
const said = (name: string, reason: string, message: string | RegExp) =>
  until(`${reason} of ${name}`, async () => {
    const { items } = await client.list(events, { namespace, fieldSelector: `involvedObject.name=${name}` });
    return items.some((event) => event.reason === reason && new RegExp(message).test(event.message ?? ''));
  });

describe('storage', () => {
  test('a claim without a class gets a directory where its first pod goes, and both go again', async () => {
    const made = await claim('data');
    expect(made.spec?.storageClassName).toBe('directory');
    expect(made.metadata.finalizers).toEqual(['kubernetes.io/pvc-protection']);
    await said('data', 'WaitForFirstConsumer', 'waiting for first consumer to be created before binding');
    await pod('user', using('data'));
    await running('user');
    const bound = await client.get(persistentVolumeClaims, { namespace, name: 'data' });
    expect(bound.status).toMatchObject({ phase: 'Bound', accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' } });
    const name = bound.spec?.volumeName ?? '';
    expect((await client.get(persistentVolumes, { name })).spec?.local?.path).toBe(join(directory, name));
    await mkdir(join(directory, name)); // As the kubelet does when it mounts.
    await client.delete(persistentVolumeClaims, { namespace, name: 'data' });
    expect(await phaseOf('data')).toBe('Bound'); // A pod uses it.
    await client.delete(pods, { namespace, name: 'user' });
    await until('claim gone', () => gone(persistentVolumeClaims, { namespace, name: 'data' }));
    await until('volume gone', () => gone(persistentVolumes, { name }));
    expect(await readdir(directory)).toEqual([]);
  });

  test('a claim takes the smallest volume that fits; a retained one is released, not given away', async () => {
    await volume('large', { capacity: { storage: '10Gi' } });
    await volume('fitting', { capacity: { storage: '2Gi' } });
    await volume('tiny', { capacity: { storage: '1Mi' } });
    await until('available', async () => (await volumePhase('fitting')) === 'Available' && (await volumePhase('large')) === 'Available');
    await claim('chooses', { storageClassName: 'manual' });
    await until('bound', async () => (await phaseOf('chooses')) === 'Bound');
    const bound = await client.get(persistentVolumeClaims, { namespace, name: 'chooses' });
    expect(bound.spec?.volumeName).toBe('fitting');
    expect(bound.status?.capacity).toEqual({ storage: '2Gi' });
    await client.delete(persistentVolumeClaims, { namespace, name: 'chooses' });
    await until('released', async () => (await volumePhase('fitting')) === 'Released');
    await client.delete(persistentVolumes, { name: 'fitting' });
    await until('gone', () => gone(persistentVolumes, { name: 'fitting' }));
  });

  test('volume and claim that name each other are bound; a lost volume is told', async () => {
    await volume('mine', { claimRef: { namespace, name: 'named' }, storageClassName: '' });
    await claim('named', { volumeName: 'mine', storageClassName: '' });
    await until('bound', async () => (await phaseOf('named')) === 'Bound');
    await client.patch(persistentVolumes, { name: 'mine' }, 'merge', { metadata: { finalizers: null } });
    await client.delete(persistentVolumes, { name: 'mine' }).catch(() => {});
    await client.patch(persistentVolumes, { name: 'mine' }, 'merge', { metadata: { finalizers: null } }).catch(() => {});
    await until('lost', async () => (await phaseOf('named')) === 'Lost');
  });

  test('claims that nobody can serve say why', async () => {
    await claim('classless', { storageClassName: '' });
    await said('classless', 'FailedBinding', 'no persistent volumes available for this claim and no storage class is set');
    await claim('unknown', { storageClassName: 'nowhere' });
    await said('unknown', 'ProvisioningFailed', 'storageclass.storage.k8s.io "nowhere" not found');
    await pod('waits', using('unknown'));
    await said('waits', 'FailedScheduling', 'pod has unbound immediate PersistentVolumeClaims');
    await pod('lacks', using('none'));
    await said('lacks', 'FailedScheduling', 'persistentvolumeclaim "none" not found');
  });

  test('an ephemeral volume has a claim that goes with its pod', async () => {
    const template = { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } } };
    await pod('scratch', [{ name: 'v', ephemeral: { volumeClaimTemplate: template } }]);
    await running('scratch');
    expect((await client.get(persistentVolumeClaims, { namespace, name: 'scratch-v' })).metadata.ownerReferences?.[0]?.kind).toBe('Pod');
    await client.delete(pods, { namespace, name: 'scratch' });
    await until('claim gone', () => gone(persistentVolumeClaims, { namespace, name: 'scratch-v' }));
  });

  test('a claim for one pod is used by one at a time', async () => {
    await claim('single', { accessModes: ['ReadWriteOncePod'] });
    await pod('first', using('single'));
    await running('first');
    await pod('second', using('single'));
    await said(
      'second',
      'FailedScheduling',
      'node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode',
    );
    await client.delete(pods, { namespace, name: 'first' });
    await running('second');
  });
});
