import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type Any, contentType, podTemplateSpec, startWire, type Wire } from './wire.ts';

/** One object's whole life by every verb, beside the controllers of a running cluster. */
let wire: Wire;
let space: string;
beforeAll(async () => {
  wire = await startWire({ nodes: 1 });
  space = await wire.namespace();
  await eventually(() => wire.expectCode(200, 'GET', `/api/v1/namespaces/${space}/serviceaccounts/default`));
});
afterAll(() => wire?.[Symbol.asyncDispose]());

const labels = { app: 'life' };
const template = podTemplateSpec(labels) as Any;
const workload = { replicas: 0, selector: { matchLabels: labels }, template };
const devices = { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'gpu' } }] } };
const lives: readonly {
  readonly resource: string;
  readonly base: string;
  readonly body: object;
  readonly change: object;
  readonly status?: object;
  readonly cluster?: boolean;
  readonly returns?: boolean;
  /** Where a name cannot be any word. */
  readonly names?: readonly string[];
}[] = [
  {
    resource: 'podtemplates',
    base: '/api/v1',
    body: { template },
    change: { template: { metadata: { labels: { more: 'x' } } } },
    returns: true,
  },
  { resource: 'configmaps', base: '/api/v1', body: { data: { a: 'b' } }, change: { data: { a: 'c' } } },
  { resource: 'secrets', base: '/api/v1', body: { data: { a: 'Yg==' } }, change: { stringData: { a: 'c' } } },
  { resource: 'serviceaccounts', base: '/api/v1', body: {}, change: { automountServiceAccountToken: false }, returns: true },
  {
    resource: 'limitranges',
    base: '/api/v1',
    body: { spec: { limits: [{ type: 'Container', max: { cpu: '2' } }] } },
    change: { spec: { limits: [{ type: 'Container', max: { cpu: '3' } }] } },
  },
  {
    resource: 'resourcequotas',
    base: '/api/v1',
    body: { spec: { hard: { pods: '7' } } },
    change: { spec: { hard: { pods: '8' } } },
    status: { hard: { pods: '8' } },
    returns: true,
  },
  {
    resource: 'endpoints',
    base: '/api/v1',
    body: { subsets: [{ addresses: [{ ip: '10.0.0.24' }], ports: [{ port: 80 }] }] },
    change: { subsets: [] },
  },
  {
    resource: 'services',
    base: '/api/v1',
    body: { spec: { type: 'LoadBalancer', ports: [{ port: 80 }] } },
    change: { spec: { sessionAffinity: 'ClientIP' } },
    status: { loadBalancer: { ingress: [{ ip: '203.0.113.1' }] } },
    returns: true,
  },
  {
    resource: 'replicationcontrollers',
    base: '/api/v1',
    body: { spec: { replicas: 0, selector: labels, template } },
    change: { spec: { minReadySeconds: 1 } },
    status: { conditions: [{ type: 'StatusPatched', status: 'True' }] },
  },
  {
    resource: 'deployments',
    base: '/apis/apps/v1',
    body: { spec: workload },
    change: { spec: { minReadySeconds: 1 } },
    status: { conditions: [{ type: 'StatusPatched', status: 'True' }] },
  },
  {
    resource: 'replicasets',
    base: '/apis/apps/v1',
    body: { spec: workload },
    change: { spec: { minReadySeconds: 1 } },
    status: { conditions: [{ type: 'StatusPatched', status: 'True' }] },
  },
  { resource: 'controllerrevisions', base: '/apis/apps/v1', body: { data: { a: 1 }, revision: 1 }, change: { revision: 2 } },
  {
    resource: 'jobs',
    base: '/apis/batch/v1',
    body: { spec: { suspend: true, template: { spec: { ...template.spec, restartPolicy: 'Never' } } } },
    change: { spec: { parallelism: 2 } },
    status: { conditions: [{ type: 'StatusPatched', status: 'True' }] },
  },
  {
    resource: 'leases',
    base: '/apis/coordination.k8s.io/v1',
    body: { spec: { holderIdentity: 'me', leaseDurationSeconds: 30 } },
    change: { spec: { leaseDurationSeconds: 60 } },
  },
  {
    resource: 'endpointslices',
    base: '/apis/discovery.k8s.io/v1',
    body: { addressType: 'IPv4', endpoints: [{ addresses: ['10.1.2.3'] }] },
    change: { ports: [{ port: 80 }] },
  },
  { resource: 'priorityclasses', base: '/apis/scheduling.k8s.io/v1', body: { value: 5 }, change: { description: 'd' }, cluster: true },
  {
    resource: 'ingresses',
    base: '/apis/networking.k8s.io/v1',
    body: { spec: { defaultBackend: { service: { name: 'web', port: { number: 80 } } } } },
    change: { spec: { rules: [{ host: 'life.example' }] } },
    status: { loadBalancer: { ingress: [{ ip: '203.0.113.7' }] } },
  },
  {
    resource: 'ingressclasses',
    base: '/apis/networking.k8s.io/v1',
    body: { spec: { controller: 'life.example/one' } },
    change: { spec: { parameters: { kind: 'Settings', name: 's', scope: 'Cluster' } } },
    cluster: true,
  },
  {
    resource: 'networkpolicies',
    base: '/apis/networking.k8s.io/v1',
    body: { spec: { podSelector: {} } },
    change: { spec: { policyTypes: ['Egress'] } },
  },
  {
    resource: 'servicecidrs',
    base: '/apis/networking.k8s.io/v1',
    body: { spec: { cidrs: ['10.222.7.0/24'] } },
    change: {},
    status: {
      conditions: [{ type: 'StatusPatched', status: 'True', reason: 'E2E', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }],
    },
    cluster: true,
    returns: true,
  },
  {
    resource: 'ipaddresses',
    base: '/apis/networking.k8s.io/v1',
    body: { spec: { parentRef: { group: 'life.example', resource: 'things', namespace: 'n', name: 'thing' } } },
    change: {},
    cluster: true,
    names: ['192.0.2.1', '192.0.2.2', '192.0.2.3', '192.0.2.4'],
  },
  {
    resource: 'runtimeclasses',
    base: '/apis/node.k8s.io/v1',
    body: { handler: 'life' },
    change: { scheduling: { nodeSelector: { life: 'one' } } },
    cluster: true,
  },
  {
    resource: 'deviceclasses',
    base: '/apis/resource.k8s.io/v1',
    body: { spec: {} },
    change: { spec: { selectors: [{ cel: { expression: 'true' } }] } },
    cluster: true,
    returns: true,
  },
  {
    resource: 'resourceclaims',
    base: '/apis/resource.k8s.io/v1',
    body: { spec: devices },
    change: {},
    status: {},
    returns: true,
  },
  { resource: 'resourceclaimtemplates', base: '/apis/resource.k8s.io/v1', body: { spec: { spec: devices } }, change: {}, returns: true },
  {
    resource: 'resourceslices',
    base: '/apis/resource.k8s.io/v1',
    body: { spec: { driver: 'life.example', pool: { name: 'p', generation: 1, resourceSliceCount: 1 }, allNodes: true } },
    change: { spec: { pool: { name: 'p', generation: 2, resourceSliceCount: 1 } } },
    cluster: true,
    returns: true,
  },
  {
    resource: 'persistentvolumeclaims',
    base: '/api/v1',
    body: { spec: { accessModes: ['ReadWriteOnce'], storageClassName: '', resources: { requests: { storage: '1Gi' } } } },
    change: {},
    status: { conditions: [{ type: 'StatusPatched', status: 'True' }] },
    returns: true,
  },
  {
    resource: 'persistentvolumes',
    base: '/api/v1',
    body: { spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/life' }, storageClassName: 'life' } },
    change: { spec: { persistentVolumeReclaimPolicy: 'Retain', mountOptions: ['ro'] } },
    status: { message: 'StatusPatched', reason: 'E2E' },
    cluster: true,
    returns: true,
  },
  {
    resource: 'storageclasses',
    base: '/apis/storage.k8s.io/v1',
    body: { provisioner: 'life.example/none' },
    change: { allowVolumeExpansion: true },
    cluster: true,
    returns: true,
  },
  {
    resource: 'csidrivers',
    base: '/apis/storage.k8s.io/v1',
    body: { spec: { attachRequired: false } },
    change: { spec: { podInfoOnMount: true } },
    cluster: true,
    returns: true,
  },
  {
    resource: 'csinodes',
    base: '/apis/storage.k8s.io/v1',
    body: { spec: { drivers: [] } },
    change: { spec: { drivers: [{ name: 'life.example', nodeID: 'n', topologyKeys: ['zone'] }] } },
    cluster: true,
    returns: true,
  },
  {
    resource: 'volumeattachments',
    base: '/apis/storage.k8s.io/v1',
    body: { spec: { attacher: 'life.example', nodeName: 'n', source: { persistentVolumeName: 'pv' } } },
    change: {},
    status: { attached: true },
    cluster: true,
    returns: true,
  },
  {
    resource: 'csistoragecapacities',
    base: '/apis/storage.k8s.io/v1',
    body: { storageClassName: 'life' },
    change: { capacity: '5Gi' },
  },
  {
    resource: 'nodes',
    base: '/api/v1',
    body: { spec: { podCIDR: '10.240.0.0/24' } },
    change: { spec: { unschedulable: true } },
    status: { conditions: [{ type: 'StatusPatched', status: 'True' }] },
    cluster: true,
  },
];

describe.each(lives)('$resource', ({ resource, base, body, change, status, cluster = false, returns = false, names }) => {
  test('lives by every verb', async () => {
    const all = `${base}/${resource}`;
    const path = cluster ? all : `${base}/namespaces/${space}/${resource}`;
    const [own, ...some] = names ?? ['life', 'life-1', 'life-2', 'life-3'];
    const metadata = { name: own, labels: { life: 'one' } };
    const watch = await wire.watch(`${path}?watch=1&labelSelector=life%3Done`);
    const of = (wanted: string) => watch.until(({ type, object }) => type === wanted && object.metadata.name === own);

    const made = await wire.expectCode(201, 'POST', path, { body: { metadata, ...body } });
    await of('ADDED');
    expect(made.metadata).toMatchObject({ name: own, uid: expect.any(String), creationTimestamp: expect.any(String) });
    await wire.expectCode(409, 'POST', path, { body: { metadata, ...body } });
    if (names === undefined)
      await wire.expectCode(201, 'POST', `${path}?dryRun=All`, { body: { metadata: { generateName: 'life-' }, ...body } });
    const listed = await wire.expectCode(200, 'GET', `${all}?labelSelector=life%3Done`);
    expect(listed.items.map(({ metadata: { name } }: Any) => name)).toEqual([own]);
    expect((await wire.expectCode(200, 'GET', `${path}?fieldSelector=metadata.name%3D${own}`)).items).toHaveLength(1);

    const patched = await wire.expectCode(200, 'PATCH', `${path}/${own}`, {
      body: { metadata: { annotations: { patched: 'true' } }, ...change },
      type: contentType.strategic,
    });
    expect(patched.metadata.annotations.patched).toBe('true');
    await of('MODIFIED');
    const jsonPatch = [{ op: 'add', path: '/metadata/labels/second', value: 'yes' }];
    await wire.expectCode(200, 'PATCH', `${path}/${own}`, { body: jsonPatch, type: contentType.jsonPatch });
    await wire.expectCode(409, 'PUT', `${path}/${own}`, { body: made });
    const updated = await eventually(async () => {
      const current = await wire.expectCode(200, 'GET', `${path}/${own}`);
      current.metadata.annotations.updated = 'true';
      return wire.expectCode(200, 'PUT', `${path}/${own}`, { body: current });
    });
    expect(updated.metadata.annotations).toMatchObject({ patched: 'true', updated: 'true' });
    expect(updated.spec?.podCIDRs?.[0]).toBe(updated.spec?.podCIDR);
    await wire.expectCode(400, 'PUT', `${path}/other`, { body: updated });
    if (status !== undefined) {
      const before = updated.metadata.generation;
      const told = await wire.expectCode(200, 'PATCH', `${path}/${own}/status`, {
        body: { status, metadata: { annotations: { told: 'true' } } },
        type: contentType.merge,
      });
      expect(told.status).toMatchObject(status);
      expect(told.metadata.annotations.told).toBe('true');
      expect(told.metadata.generation).toBe(before);
      const read = await wire.expectCode(200, 'GET', `${path}/${own}/status`);
      expect(read.metadata.uid).toBe(made.metadata.uid);
      const unchanged = await wire.expectCode(200, 'PATCH', `${path}/${own}`, { body: { status: null }, type: contentType.merge });
      expect(unchanged.status).toBeDefined();
    }

    const deleted = await wire.expectCode(200, 'DELETE', `${path}/${own}?propagationPolicy=Background`);
    expect(deleted.kind).toBe(returns ? made.kind : 'Status');
    await of('DELETED');
    watch.close();
    await wire.expectCode(404, 'GET', `${path}/${own}`);

    for (const name of some)
      await wire.expectCode(201, 'POST', path, {
        body: { metadata: { name, labels: { life: 'many' } }, ...body, ...(resource === 'nodes' ? { spec: undefined } : {}) },
      });
    await wire.expectCode(200, 'DELETE', `${path}?labelSelector=life%3Dmany&propagationPolicy=Background`);
    await eventually(async () => expect((await wire.expectCode(200, 'GET', `${path}?labelSelector=life%3Dmany`)).items).toEqual([]));
  });
});
