import { endpointSlices, services } from '@orrery/api';
import { newSeededRandom, realClock } from '@orrery/base';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cleanUpKubeProxy } from '../clean-up.ts';
import { newKubeProxy } from '../kube-proxy.ts';
import { canMakeNetworks, type NetworkLab, newNetworkLab } from '../testing/network-lab.ts';
import { testService, testSlice } from '../testing/objects.ts';
import { startTestApi, type TestApi } from '../testing/test-api.ts';

const TIMEOUT_MS = 60_000;

describe.runIf(canMakeNetworks)('nftables', () => {
  let lab: NetworkLab;
  let api: TestApi;
  const stop = new AbortController();
  let running: Promise<void>;

  /** Asks until the answer is as wanted: the proxy follows the API in its own time. */
  const eventually = async (place: string, address: string, wanted: RegExp | string): Promise<void> => {
    for (let attempt = 0; ; attempt++) {
      const answer = await lab.ask(place, address);
      if (typeof wanted === 'string' ? answer === wanted : wanted.test(answer)) return;
      if (attempt >= 40) expect(answer).toEqual(wanted);
      await realClock.sleep(50);
    }
  };

  beforeAll(async () => {
    lab = await newNetworkLab();
    api = startTestApi();
    await lab.pod(2);
    await lab.pod(3);
    await lab.serve('pod2', 'TCP-LISTEN:8080', 'pod2');
    await lab.serve('pod3', 'TCP-LISTEN:8080', 'pod3');
    const proxy = newKubeProxy({
      informers: api.informers,
      clock: realClock,
      random: newSeededRandom(1),
      nodeName: 'here',
      nodeAddresses: [lab.gateway, lab.hostAddress],
      instanceId: 'test',
      mode: 'nftables',
      clusterCidrs: ['10.244.0.0/16'],
      serviceCidrs: ['10.96.0.0/12'],
      netns: lab.host,
    });
    running = proxy.run(stop.signal);
    await proxy.waitForSync(stop.signal);
  }, TIMEOUT_MS);

  afterAll(async () => {
    stop.abort();
    await running;
    await cleanUpKubeProxy('test', lab.host);
    const left = [await lab.at('host', 'nft', 'list', 'tables'), await lab.at('host', 'ip', 'route', 'show', 'dev', 'lo')];
    await lab.close();
    await api.close();
    for (const { stdout } of left) expect(stdout).toBe('');
  }, TIMEOUT_MS);

  test(
    'ClusterIP and node port',
    async () => {
      await api.client.create(services, testService('web', '10.96.0.10', [{ port: 80, nodePort: 30080 }], { type: 'NodePort' }));
      await eventually('pod3', 'TCP:10.96.0.10:80', 'refused');
      await eventually('outside', 'TCP:192.0.2.1:30080', 'refused');
      await eventually('host', 'TCP:127.0.0.1:30080', 'refused');
      await eventually('host', 'TCP:10.96.0.10:80', 'refused');
      await api.client.create(endpointSlices, testSlice('web', 8080, ['10.244.0.2']));
      await eventually('pod3', 'TCP:10.96.0.10:80', 'pod2 10.244.0.3');
      await eventually('pod2', 'TCP:10.96.0.10:80', 'pod2 10.244.0.1'); // Itself, through the host: masqueraded.
      await eventually('host', 'TCP:10.96.0.10:80', /^pod2 /);
      await eventually('outside', 'TCP:192.0.2.1:30080', 'pod2 10.244.0.1');
      await eventually('host', 'TCP:192.0.2.1:30080', /^pod2 /);
      await eventually('host', 'TCP:127.0.0.1:30080', /^pod2 /);
      await eventually('pod3', 'TCP:10.244.0.1:30080', /^pod2 /);
      await eventually('pod3', 'TCP:10.96.0.10:81', 'refused');
      await eventually('pod3', 'TCP:10.96.0.77:80', 'timeout');
    },
    TIMEOUT_MS,
  );

  test(
    'UDP: who keeps sending from one port reaches the next endpoint when the first is gone',
    async () => {
      await lab.serve('pod2', 'UDP-LISTEN:5353', 'pod2');
      await lab.serve('pod3', 'UDP-LISTEN:5353', 'pod3');
      const udp = { ports: [{ name: '', port: 5353, protocol: 'UDP' }] };
      await api.client.create(services, testService('dns', '10.96.0.53', [{ port: 53, protocol: 'UDP' }]));
      const slice = await api.client.create(endpointSlices, testSlice('dns', 0, ['10.244.0.2'], udp));
      const address = 'UDP:10.96.0.53:53,sourceport=40053,reuseaddr';
      await eventually('host', address, /^pod2 /);
      await api.client.update(endpointSlices, { ...slice, ...testSlice('dns', 0, ['10.244.0.3'], udp), metadata: slice.metadata });
      await eventually('host', address, /^pod3 /);
    },
    TIMEOUT_MS,
  );

  test(
    'session affinity keeps a client at one endpoint, until that is gone',
    async () => {
      const sticky = { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 100 } } };
      await api.client.create(services, testService('sticky', '10.96.0.20', [{ port: 80 }], sticky));
      const slice = await api.client.create(endpointSlices, testSlice('sticky', 8080, ['10.244.0.2', '10.244.0.3']));
      await eventually('host', 'TCP:10.96.0.20:80', /^pod/);
      const answers = new Set<string>();
      for (let call = 0; call < 8; call++) answers.add((await lab.ask('host', 'TCP:10.96.0.20:80')).slice(0, 4));
      expect(answers.size).toBe(1);
      const [first] = answers;
      const other = first === 'pod2' ? '10.244.0.3' : '10.244.0.2';
      await api.client.update(endpointSlices, { ...slice, endpoints: testSlice('sticky', 8080, [other]).endpoints });
      await eventually('host', 'TCP:10.96.0.20:80', first === 'pod2' ? /^pod3/ : /^pod2/);
    },
    TIMEOUT_MS,
  );

  test(
    'both of two endpoints are used',
    async () => {
      await api.client.create(services, testService('both', '10.96.0.21', [{ port: 80 }]));
      await api.client.create(endpointSlices, testSlice('both', 8080, ['10.244.0.2', '10.244.0.3']));
      await eventually('host', 'TCP:10.96.0.21:80', /^pod2/);
      await eventually('host', 'TCP:10.96.0.21:80', /^pod3/);
    },
    TIMEOUT_MS,
  );

  test(
    'policy Local: the source is kept; without an endpoint here only the outside is dropped',
    async () => {
      const spec = { type: 'NodePort', externalTrafficPolicy: 'Local' };
      await api.client.create(services, testService('local', '10.96.0.22', [{ port: 80, nodePort: 30022 }], spec));
      const slice = await api.client.create(endpointSlices, testSlice('local', 8080, ['10.244.0.2']));
      await eventually('outside', 'TCP:192.0.2.1:30022', 'pod2 192.0.2.2');
      const elsewhere = [{ addresses: ['10.244.0.2'], conditions: { ready: true }, nodeName: 'there' }];
      await api.client.update(endpointSlices, { ...slice, endpoints: elsewhere });
      await eventually('outside', 'TCP:192.0.2.1:30022', 'timeout');
      await eventually('pod3', 'TCP:192.0.2.1:30022', /^pod2 /);
      await eventually('host', 'TCP:192.0.2.1:30022', /^pod2 /);
      await eventually('pod3', 'TCP:10.96.0.22:80', 'pod2 10.244.0.3');
      await api.client.create(services, testService('inner', '10.96.0.23', [{ port: 80 }], { internalTrafficPolicy: 'Local' }));
      await api.client.create(endpointSlices, testSlice('inner', 8080, elsewhere));
      await eventually('pod3', 'TCP:10.96.0.23:80', 'timeout');
    },
    TIMEOUT_MS,
  );

  test(
    'a load balancer at an address of the node, for some sources only',
    async () => {
      const spec = { type: 'LoadBalancer', loadBalancerSourceRanges: ['10.0.0.0/8', '10.244.0.0/16'] };
      const made = await api.client.create(services, {
        ...testService('lb', '10.96.0.24', [{ port: 8443 }], spec),
        status: { loadBalancer: { ingress: [{ ip: '192.0.2.1', ipMode: 'VIP' }] } },
      });
      await api.client.create(endpointSlices, testSlice('lb', 8080, ['10.244.0.2']));
      await eventually('pod3', 'TCP:192.0.2.1:8443', /^pod2 /);
      await eventually('outside', 'TCP:192.0.2.1:8443', 'timeout');
      await api.client.update(services, { ...made, spec: { ...made.spec, loadBalancerSourceRanges: [] } });
      await eventually('outside', 'TCP:192.0.2.1:8443', 'pod2 10.244.0.1');
      const external = { externalIPs: ['198.51.100.7'] };
      await api.client.create(services, testService('ext', '10.96.0.25', [{ port: 8444 }], external));
      await api.client.create(endpointSlices, testSlice('ext', 8080, ['10.244.0.3']));
      await eventually('outside', 'TCP:198.51.100.7:8444', 'pod3 10.244.0.1');
    },
    TIMEOUT_MS,
  );

  test(
    'endpoints that terminate serve until others are ready; deleted Services are gone',
    async () => {
      await api.client.create(services, testService('ending', '10.96.0.26', [{ port: 80 }]));
      const conditions = { ready: false, serving: true, terminating: true };
      const ending = { addresses: ['10.244.0.2'], conditions, nodeName: 'here' };
      const slice = await api.client.create(endpointSlices, testSlice('ending', 8080, [ending]));
      await eventually('pod3', 'TCP:10.96.0.26:80', /^pod2 /);
      const both = [ending, { addresses: ['10.244.0.3'], conditions: { ready: true }, nodeName: 'here' }];
      await api.client.update(endpointSlices, { ...slice, endpoints: both });
      await eventually('pod2', 'TCP:10.96.0.26:80', /^pod3 /);
      await api.client.delete(services, { namespace: 'default', name: 'ending' });
      await eventually('pod2', 'TCP:10.96.0.26:80', 'timeout');
    },
    TIMEOUT_MS,
  );

  test(
    'what somebody flushed is written anew with the next change',
    async () => {
      await lab.at('host', 'nft', 'delete', 'table', 'ip', 'orrery-test-proxy');
      await api.client.create(services, testService('after', '10.96.0.27', [{ port: 80 }]));
      await api.client.create(endpointSlices, testSlice('after', 8080, ['10.244.0.2']));
      await eventually('pod3', 'TCP:10.96.0.27:80', /^pod2 /);
      await eventually('pod3', 'TCP:10.96.0.21:80', /^pod/);
    },
    TIMEOUT_MS,
  );
});
