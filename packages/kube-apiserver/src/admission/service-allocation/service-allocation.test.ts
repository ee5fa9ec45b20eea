import { ipAddresses, namespaces, serviceCidrs, services } from '@orrery/api';
import type { Service } from '@orrery/api/core/v1';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApi, type TestApi } from '../../testing/test-api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi({ admission: {} });
});
afterAll(() => api.close());

const namespace = 'default';
const ports = [{ port: 80 }];
const create = (name: string, spec: object = {}, options = {}): Promise<Service> =>
  api.client.create(services, { metadata: { namespace, name }, spec: { ports, selector: { app: 'a' }, ...spec } }, options);

test('the API server has the first address', async () => {
  const { spec } = await api.client.get(services, { namespace, name: 'kubernetes' });
  expect(spec).toMatchObject({ clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1'], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' });
});

describe('cluster addresses', () => {
  test('are given from the dynamic part of the range', async () => {
    const { spec } = await create('a');
    expect(spec.clusterIP).toMatch(/^10\.(9[6-9]|10\d|11[01])\./);
    expect(spec.clusterIPs).toEqual([spec.clusterIP]);
    expect(spec).toMatchObject({
      type: 'ClusterIP',
      sessionAffinity: 'None',
      internalTrafficPolicy: 'Cluster',
      ports: [{ targetPort: 80, protocol: 'TCP' }],
    });
  });

  test('asked for twice', async () => {
    await create('b', { clusterIP: '10.96.0.10' });
    await expect(create('c', { clusterIP: '10.96.0.10' })).rejects.toThrow(
      'Service "c" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.10"]: failed to allocate IP 10.96.0.10: provided IP is already allocated',
    );
  });

  test('out of range', async () => {
    await expect(create('c', { clusterIP: '10.0.0.1' })).rejects.toThrow(
      'failed to allocate IP 10.0.0.1: the provided network does not match the current range',
    );
  });

  test('are free again after a delete, and after a dry run', async () => {
    await create('d', { clusterIP: '10.96.0.11' });
    await api.client.delete(services, { namespace, name: 'd' });
    await create('e', { clusterIP: '10.96.0.11' }, { dryRun: true });
    await expect(create('f', { clusterIP: '10.96.0.11' })).resolves.toMatchObject({ spec: { clusterIP: '10.96.0.11' } });
  });

  test('two at once get one each', async () => {
    const asked = await Promise.allSettled([create('g', { clusterIP: '10.96.0.12' }), create('h', { clusterIP: '10.96.0.12' })]);
    expect(asked.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  test('headless has none', async () => {
    const { spec } = await create('i', { clusterIP: 'None' });
    expect(spec).toMatchObject({ clusterIP: 'None', clusterIPs: ['None'], ipFamilies: ['IPv4'] });
  });

  test('do not change', async () => {
    const service = await create('j');
    const moved = { ...service, spec: { ...service.spec, clusterIP: '10.96.0.99', clusterIPs: ['10.96.0.99'] } };
    await expect(api.client.update(services, moved)).rejects.toThrow(
      'spec.clusterIPs[0]: Invalid value: "10.96.0.99": may not change once set',
    );
  });

  test('are kept by a replace that leaves them out', async () => {
    const { metadata, spec } = await create('k', { type: 'NodePort' });
    const replaced = await api.client.update(services, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace, name: 'k' } as Service['metadata'],
      spec: { type: 'NodePort', ports, selector: { app: 'b' } },
      status: {},
    });
    expect(replaced.spec.clusterIP).toBe(spec.clusterIP);
    expect(replaced.spec.ports?.[0]?.nodePort).toBe(spec.ports?.[0]?.nodePort);
    expect(replaced.metadata.uid).toBe(metadata.uid);
  });
});

describe('the book of addresses', () => {
  const holderOf = async (ip: string): Promise<string> => (await api.client.get(ipAddresses, { name: ip })).spec.parentRef.name;

  test('has an IPAddress for each', async () => {
    const { spec } = await create('book1');
    const entry = await api.client.get(ipAddresses, { name: spec.clusterIP ?? '' });
    expect(entry).toMatchObject({
      metadata: { labels: { 'ipaddress.kubernetes.io/ip-family': 'IPv4', 'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io' } },
      spec: { parentRef: { resource: 'services', namespace, name: 'book1' } },
    });
    expect(await holderOf('10.96.0.1')).toBe('kubernetes');
  });

  test('an address that somebody reserved by hand is taken', async () => {
    await api.client.create(ipAddresses, {
      metadata: { name: '10.96.3.1' },
      spec: { parentRef: { resource: 'services', namespace, name: 'later' } },
    });
    await expect(create('book2', { clusterIP: '10.96.3.1' })).rejects.toThrow(
      'failed to allocate IP 10.96.3.1: provided IP is already allocated',
    );
    await expect(create('later', { clusterIP: '10.96.3.1' })).resolves.toBeTruthy();
  });

  test('goes over to the next owner', async () => {
    await create('book3', { clusterIP: '10.96.3.2' });
    await api.client.delete(services, { namespace, name: 'book3' });
    await create('book4', { clusterIP: '10.96.3.2' });
    expect(await holderOf('10.96.3.2')).toBe('book4');
  });

  test('a create that is refused books nothing', async () => {
    await create('book5', { clusterIP: '10.96.3.3' });
    await expect(create('book5', { clusterIP: '10.96.3.4' })).rejects.toThrow('services "book5" already exists');
    await create('book6', { clusterIP: '10.96.3.5' }, { dryRun: true });
    for (const name of ['10.96.3.4', '10.96.3.5']) {
      await expect(api.client.get(ipAddresses, { name })).rejects.toThrow('not found');
    }
  });

  test('further ranges serve when they are ready', async () => {
    const range = await api.client.create(serviceCidrs, { metadata: { name: 'more' }, spec: { cidrs: ['10.200.0.0/28'] } });
    await expect(create('book7', { clusterIP: '10.200.0.3' })).rejects.toThrow(
      'failed to allocate IP 10.200.0.3: the provided network does not match the current range',
    );
    const ready = { type: 'Ready', status: 'True', reason: '', message: '', lastTransitionTime: range.metadata.creationTimestamp };
    await api.client.updateStatus(serviceCidrs, { ...range, status: { conditions: [ready] } } as typeof range);
    await expect(create('book7', { clusterIP: '10.200.0.3' })).resolves.toMatchObject({ spec: { clusterIP: '10.200.0.3' } });
    await expect(create('book8', { clusterIP: '10.200.0.15' })).rejects.toThrow(
      'the provided IP (10.200.0.15) is not in the valid range. The range of valid IPs is 10.200.0.0/28',
    );
  });

  test('the first range is ready from the start', async () => {
    expect(await api.client.get(serviceCidrs, { name: 'kubernetes' })).toMatchObject({
      spec: { cidrs: ['10.96.0.0/12'] },
      status: { conditions: [{ type: 'Ready', status: 'True', message: 'Kubernetes default Service CIDR is ready' }] },
    });
  });
});

describe('node ports', () => {
  test('asked for twice', async () => {
    await create('np1', { type: 'NodePort', ports: [{ port: 80, nodePort: 30001 }] });
    await expect(create('np2', { type: 'NodePort', ports: [{ port: 80, nodePort: 30001 }] })).rejects.toThrow(
      'spec.ports[0].nodePort: Invalid value: 30001: provided port is already allocated',
    );
  });

  test('out of range', async () => {
    await expect(create('np3', { type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] })).rejects.toThrow(
      'provided port is not in the valid range. The range of valid ports is 30000-32767',
    );
  });

  test('serve TCP and UDP under one number', async () => {
    const { spec } = await create('np4', {
      type: 'NodePort',
      ports: [
        { name: 't', port: 53, protocol: 'TCP' },
        { name: 'u', port: 53, protocol: 'UDP' },
      ],
    });
    expect(spec.ports?.[0]?.nodePort).toBe(spec.ports?.[1]?.nodePort);
  });

  test('are free as soon as their Service has given them up', async () => {
    const { spec } = await create('np6', { type: 'NodePort' });
    const nodePort = spec.ports?.[0]?.nodePort ?? 0;
    await api.client.patch(services, { namespace, name: 'np6' }, 'merge', { spec: { type: 'ClusterIP' } });
    const next = await create('np7', { type: 'NodePort', ports: [{ port: 80, nodePort }] });
    expect(next.spec.ports?.[0]?.nodePort).toBe(nodePort);
  });

  test('go with the type', async () => {
    const service = await create('np5', { type: 'NodePort' });
    const updated = await api.client.patch(services, { namespace, name: 'np5' }, 'merge', { spec: { type: 'ClusterIP' } });
    expect(updated.spec.ports?.[0]?.nodePort).toBeUndefined();
    expect(updated.spec.clusterIP).toBe(service.spec.clusterIP);
    const gone = await api.client.patch(services, { namespace, name: 'np5' }, 'merge', {
      spec: { type: 'ExternalName', externalName: 'example.com' },
    });
    expect(gone.spec.clusterIP).toBeUndefined();
    const back = await api.client.patch(services, { namespace, name: 'np5' }, 'merge', { spec: { type: 'ClusterIP', externalName: null } });
    expect(back.spec.clusterIP).toBeTruthy();
  });
});

test('nothing is created in a namespace that is not there or going', async () => {
  await expect(api.client.create(services, { metadata: { namespace: 'nowhere', name: 'a' }, spec: { ports } })).rejects.toThrow(
    'namespaces "nowhere" not found',
  );
  await api.client.create(namespaces, { metadata: { name: 'going' }, spec: {} });
  await api.client.delete(namespaces, { name: 'going' });
  const refused = api.client.create(services, { metadata: { namespace: 'going', name: 'a' }, spec: { ports } });
  await expect(refused).rejects.toThrow(
    'services "a" is forbidden: unable to create new content in namespace going because it is being terminated',
  );
  await expect(refused).rejects.toMatchObject({ details: { causes: [{ reason: 'NamespaceTerminating' }] } });
});

test('namespaces that the system needs stay', async () => {
  await expect(api.client.delete(namespaces, { name: 'default' })).rejects.toThrow(
    'namespaces "default" is forbidden: this namespace may not be deleted',
  );
});
