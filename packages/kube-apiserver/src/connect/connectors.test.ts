import { endpoints, nodes, pods, services } from '@orrery/api';
import type { Connector, ConnectRequest, ConnectTarget } from '@orrery/apiserver';
import { newSeededRandom } from '@orrery/base';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApi, type TestApi } from '../testing/test-api.ts';
import { newConnectors } from './connectors.ts';

let api: TestApi;
let connectors: readonly Connector[];
const namespace = 'default';
const tls = { ca: 'ca', cert: 'cert', key: 'key' };

beforeAll(async () => {
  api = await startTestApi();
  connectors = newConnectors({ client: api.client, kubeletTls: tls }, newSeededRandom(1));
  await api.client.create(nodes, { metadata: { name: 'n1' }, spec: {} });
  const node = await api.client.get(nodes, { name: 'n1' });
  await api.client.updateStatus(nodes, {
    ...node,
    status: { addresses: [{ type: 'InternalIP', address: '10.0.0.9' }], daemonEndpoints: { kubeletEndpoint: { Port: 10251 } } },
  });
  const one = [{ name: 'c', image: 'a:1', ports: [{ containerPort: 8080 }] }];
  const pod = await api.client.create(pods, { metadata: { namespace, name: 'p' }, spec: { nodeName: 'n1', containers: one } });
  await api.client.updateStatus(pods, { ...pod, status: { phase: 'Running', podIP: '10.1.0.5', podIPs: [{ ip: '10.1.0.5' }] } });
  await api.client.create(pods, {
    metadata: { namespace, name: 'two' },
    spec: { nodeName: 'n1', containers: [...one, { name: 'd', image: 'a:1' }] },
  });
  await api.client.create(pods, { metadata: { namespace, name: 'waiting' }, spec: { containers: one } });
  await api.client.create(services, {
    metadata: { namespace, name: 's' },
    spec: { clusterIP: 'None', ports: [{ name: 'http', port: 80 }] },
  });
  await api.client.create(endpoints, {
    metadata: { namespace, name: 's' },
    subsets: [{ addresses: [{ ip: '10.1.0.5' }], ports: [{ name: 'http', port: 8080 }] }],
  } as never);
});
afterAll(() => api.close());

function connect(path: string, query = '', rest = ''): Promise<ConnectTarget> {
  const [resource = '', name = '', subresource = ''] = path.split('/');
  const connector = connectors.find((candidate) => candidate.resource === resource && candidate.subresource === subresource);
  if (connector === undefined) throw new Error(`no connector for ${path}`);
  const request: ConnectRequest = {
    user: { username: 'test', groups: [] },
    method: 'GET',
    namespace: resource === 'nodes' ? undefined : namespace,
    name,
    path: rest,
    query: new URLSearchParams(query),
    rawQuery: query,
    upgrade: false,
  };
  return connector.connect(request, new AbortController().signal);
}

describe('targets', () => {
  const kubelet = { protocol: 'https', host: '10.0.0.9', port: 10251, tls };
  const cases: [string, string, string, object][] = [
    [
      'pods/p/log',
      'follow=true&tailLines=5',
      '',
      { ...kubelet, path: '/containerLogs/default/p/c?follow=true&tailLines=5&stream=All', errors: 'status' },
    ],
    ['pods/two/log', 'container=d', '', { path: '/containerLogs/default/two/d?stream=All' }],
    [
      'pods/p/exec',
      'stdin=true&stdout=1&tty=true&command=sh&command=-c',
      '',
      { ...kubelet, path: '/exec/default/p/c?input=1&output=1&tty=1&command=sh&command=-c' },
    ],
    ['pods/p/attach', 'stdout=true&stderr=true', '', { path: '/attach/default/p/c?output=1&error=1' }],
    ['pods/p/portforward', 'ports=80&ports=81', '', { path: '/portForward/default/p?port=80%2C81' }],
    [
      'pods/p/proxy',
      'a=b',
      '/x',
      { protocol: 'http', host: '10.1.0.5', port: 8080, path: '/x?a=b', rewriteBelow: '/api/v1/namespaces/default/pods/p/proxy' },
    ],
    ['pods/https:p:9443/proxy', '', '/', { protocol: 'https', port: 9443, tls: { rejectUnauthorized: false } }],
    ['services/s:http/proxy', '', '/x', { host: '10.1.0.5', port: 8080, path: '/x' }],
    ['services/s:80/proxy', '', '', { port: 8080, path: '' }],
    ['nodes/n1/proxy', '', '/stats', { ...kubelet, path: '/stats' }],
    ['nodes/n1:9100/proxy', '', '/metrics', { protocol: 'http', host: '10.0.0.9', port: 9100 }],
  ];
  for (const [path, query, rest, want] of cases) {
    test(`${path}?${query}`, async () => expect(await connect(path, query, rest)).toMatchObject(want));
  }
});

describe('refusals', () => {
  const cases: [string, string, string][] = [
    ['pods/p/log', 'container=x', 'container x is not valid for pod p'],
    ['pods/two/log', '', 'a container name must be specified for pod two, choose one of: [c d]'],
    ['pods/waiting/exec', 'command=sh', 'pod waiting does not have a host assigned'],
    ['pods/gone/log', '', 'pods "gone" not found'],
    ['pods/p/log', 'tailLines=-1', 'PodLogOptions "p" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0'],
    ['pods/p/log', 'limitBytes=0', 'limitBytes: Invalid value: 0: must be greater than 0'],
    ['pods/p/log', 'tailLines=x', 'strconv.ParseInt: parsing "x": invalid syntax'],
    ['pods/two/proxy', '', 'address not allowed'],
    ['pods/a:b:c:d/proxy', '', 'invalid pod request "a:b:c:d"'],
    ['services/s:81/proxy', '', 'no service port 81 found for service "s"'],
    ['services/s:other/proxy', '', 'no endpoints available for service "s:other"'],
    ['nodes/nowhere/proxy', '', 'nodes "nowhere" not found'],
  ];
  for (const [path, query, want] of cases) test(`${path}?${query}`, () => expect(connect(path, query)).rejects.toThrow(want));
});
