import { events, ipAddresses, nodes, serviceCidrs, services } from '@orrery/api';
import type { Service } from '@orrery/api/core/v1';
import { isNotFound } from '@orrery/apimachinery';
import { realClock } from '@orrery/base';
import { type Client, isConditionTrue } from '@orrery/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCluster, type TestCluster } from './test-cluster.ts';

let cluster: TestCluster;
let client: Client;
beforeAll(async () => {
  cluster = await startCluster({ scheduler: false, nodes: 2 });
  client = cluster.client;
});
afterAll(() => cluster.dispose());

const namespace = 'default';
const eventually = async <T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<T> => {
  for (;;) {
    const value = await read();
    if (holds(value)) return value;
    await realClock.sleep(5);
  }
};
const create = (name: string, spec: object): Promise<Service> =>
  client.create(services, { metadata: { namespace, name }, spec: { ports: [{ port: 80 }], selector: { app: name }, ...spec } });
const ingressOf = async (name: string): Promise<readonly string[]> => {
  const { status } = await client.get(services, { namespace, name });
  return (status.loadBalancer?.ingress ?? []).map(({ ip = '' }) => ip);
};
const reasonsOf = async (name: string): Promise<readonly string[]> => {
  const { items } = await client.list(events, { namespace });
  return items.filter(({ involvedObject }) => involvedObject.name === name).map(({ reason = '' }) => reason);
};

describe('load balancers', () => {
  test('get the addresses of the nodes, one Service for each port', async () => {
    const { items } = await client.list(nodes);
    const addresses = items.flatMap(({ status }) => (status?.addresses ?? []).filter(({ type }) => type === 'InternalIP'));
    await create('first', { type: 'LoadBalancer' });
    const ingress = await eventually(
      () => ingressOf('first'),
      (ips) => ips.length > 0,
    );
    expect(new Set(ingress)).toEqual(new Set(addresses.map(({ address }) => address)));
    await eventually(
      () => reasonsOf('first'),
      (reasons) => reasons.includes('EnsuredLoadBalancer'),
    );
    await create('second', { type: 'LoadBalancer' });
    await eventually(
      () => reasonsOf('second'),
      (reasons) => reasons.includes('SyncLoadBalancerFailed'),
    );
    expect(await ingressOf('second')).toEqual([]);
    await client.delete(services, { namespace, name: 'first' });
    await eventually(
      () => ingressOf('second'),
      (ips) => ips.length > 0,
    );
    await client.patch(services, { namespace, name: 'second' }, 'merge', { spec: { type: 'ClusterIP' } });
    await eventually(
      () => ingressOf('second'),
      (ips) => ips.length === 0,
    );
  });

  test('of another class are left alone', async () => {
    await create('classy', { type: 'LoadBalancer', loadBalancerClass: 'example.com/other', ports: [{ port: 81 }] });
    await create('plain', { type: 'LoadBalancer', ports: [{ port: 81 }] });
    await eventually(
      () => ingressOf('plain'),
      (ips) => ips.length > 0,
    );
    expect(await ingressOf('classy')).toEqual([]);
  });
});

describe('addresses of Services', () => {
  const isThere = async (name: string): Promise<boolean> => {
    try {
      await client.get(ipAddresses, { name });
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  };

  test('go with their Service, and come back when they were deleted', async () => {
    await create('gone', { clusterIP: '10.96.7.1' });
    expect(await isThere('10.96.7.1')).toBe(true);
    await client.delete(ipAddresses, { name: '10.96.7.1' });
    await eventually(
      () => isThere('10.96.7.1'),
      (there) => there,
    );
    await client.delete(services, { namespace, name: 'gone' });
    await eventually(
      () => isThere('10.96.7.1'),
      (there) => !there,
    );
  });

  test('a further range is ready, and stays while it is needed', async () => {
    await client.create(serviceCidrs, { metadata: { name: 'more' }, spec: { cidrs: ['10.200.0.0/28'] } });
    const read = () => client.get(serviceCidrs, { name: 'more' });
    await eventually(read, ({ status }) => isConditionTrue(status.conditions, 'Ready'));
    await create('far', { clusterIP: '10.200.0.5' });
    await client.delete(serviceCidrs, { name: 'more' });
    const held = await eventually(read, ({ status }) => status.conditions?.[0]?.status === 'False');
    expect(held.metadata.finalizers).toEqual(['networking.k8s.io/service-cidr-finalizer']);
    expect(held.status.conditions?.[0]).toMatchObject({
      reason: 'Terminating',
      message: 'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR',
    });
  });
});
