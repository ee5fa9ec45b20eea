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
      client: api.client,
      informers: api.informers,
      clock: realClock,
      random: newSeededRandom(1),
      nodeName: 'here',
      nodeAddresses: [lab.gateway, lab.hostAddress],
      instanceId: 'test',
      mode: 'nftables',
      clusterCidrs: ['10.244.0.0/16'],
      serviceCidrs: ['10.96.0.0/12'],
      podInterface: 'pods',
      netns: lab.host,
    });
    running = proxy.run(stop.signal);
    await proxy.waitForSync(stop.signal);
  }, TIMEOUT_MS);

  afterAll(async () => {
    stop.abort();
    await running;
    await cleanUpKubeProxy('test', lab.host);
    const { stdout } = await lab.at('host', 'nft', 'list', 'tables');
    await lab.close();
    await api.close();
    expect(stdout).not.toContain('orrery-test-proxy');
  }, TIMEOUT_MS);

  test(
    'ClusterIP and node port',
    async () => {
      await api.client.create(services, testService('web', '10.96.0.10', [{ port: 80, nodePort: 30080 }], { type: 'NodePort' }));
      await eventually('pod3', 'TCP:10.96.0.10:80', 'refused');
      await eventually('outside', 'TCP:192.0.2.1:30080', 'refused');
      await eventually('host', 'TCP:127.0.0.1:30080', 'refused');
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
});
