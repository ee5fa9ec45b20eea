import type { AddressInfo } from 'node:net';
import { endpointSlices, services } from '@orrery/api';
import { newSeededRandom, newVirtualClock, realClock } from '@orrery/base';
import { expect, test } from 'vitest';
import { newKubeProxy } from '../kube-proxy.ts';
import { testService, testSlice } from '../testing/objects.ts';
import { startTestApi } from '../testing/test-api.ts';
import { newProxyHealth, serveHealthz } from './proxy-health.ts';

test('healthz: from the first write on, until something is stuck or the node is to go', async () => {
  const clock = newVirtualClock();
  const health = newProxyHealth(clock);
  let taints: string[] = [];
  await using healthz = await serveHealthz({
    bind: { host: '127.0.0.1', port: 0 },
    clock,
    health,
    node: () => ({ isDeleting: false, taints }),
  });
  const { port } = healthz.server.address() as AddressInfo;
  const ask = async (path: string): Promise<readonly unknown[]> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    return [response.status, ((await response.json()) as { nodeEligible?: boolean }).nodeEligible];
  };
  expect(await ask('/healthz')).toEqual([503, true]);
  health.queued();
  health.updated();
  expect(await ask('/healthz')).toEqual([200, true]);
  taints = ['ToBeDeletedByClusterAutoscaler'];
  expect(await ask('/healthz')).toEqual([503, false]);
  expect(await ask('/livez')).toEqual([200, undefined]);
  health.queued();
  await clock.advance(61_000);
  expect(await ask('/livez')).toEqual([503, undefined]);
});

test('a port for each Service under externalTrafficPolicy Local', async () => {
  const api = startTestApi();
  const stop = new AbortController();
  const proxy = newKubeProxy({
    informers: api.informers,
    clock: realClock,
    random: newSeededRandom(1),
    nodeName: 'here',
    nodeAddresses: ['127.98.0.1'],
    instanceId: 'health',
    mode: 'userspace',
  });
  const running = proxy.run(stop.signal);
  await proxy.waitForSync(stop.signal);
  const port = 39_781;
  const local = { type: 'LoadBalancer', externalTrafficPolicy: 'Local', healthCheckNodePort: port };
  await api.client.create(services, testService('lb', '127.98.0.10', [{ port: 8001 }], local));
  const ask = async (): Promise<Response | undefined> => fetch(`http://127.0.0.1:${port}/`).catch(() => undefined);
  const until = async (status: number): Promise<Response> => {
    for (;;) {
      const response = await ask();
      if (response?.status === status) return response;
      await realClock.sleep(10);
    }
  };
  const none = await until(503);
  expect(none.headers.get('x-load-balancing-endpoint-weight')).toBe('0');
  await api.client.create(
    endpointSlices,
    testSlice('lb', 80, ['127.98.1.1', '127.98.1.2', { addresses: ['127.98.1.3'], nodeName: 'there' }]),
  );
  const some = await until(200);
  expect(some.headers.get('x-load-balancing-endpoint-weight')).toBe('2');
  expect(await some.text()).toBe(
    '{\n\t"service": {\n\t\t"namespace": "default",\n\t\t"name": "lb"\n\t},\n\t"localEndpoints": 2,\n\t"serviceProxyHealthy": true\n}',
  );
  await api.client.delete(services, { namespace: 'default', name: 'lb' });
  while ((await ask()) !== undefined) await realClock.sleep(10);
  stop.abort();
  await running;
  await api.close();
});
