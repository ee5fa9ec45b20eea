import { realClock } from '@orrery/base';
import { describeRuntimeConformance, startConformanceRegistry } from '@orrery/cri/conformance';
import { describe } from 'vitest';
import { openRemoteRuntime } from './remote-runtime.ts';
import { containerdProblem, startContainerd } from './testing/containerd.ts';
import { makeTestNetwork } from './testing/network.ts';

const problem = await containerdProblem();

describe.skipIf(problem !== undefined)('containerd', () => {
  describeRuntimeConformance('remote on containerd', {
    abilities: {
      images: true,
      isolation: true,
      limits: true,
      users: true,
      hostPorts: true,
      userNamespaces: false, // Since containerd 1.7.
      propagation: true,
      filtersImages: false, // Since containerd 2.
      events: false, // Since containerd 1.7.
      abortsExec: false, // The process of a client that is gone runs on.
    },
    async start() {
      const network = await makeTestNetwork();
      const registry = await startConformanceRegistry(network.hereAddress);
      const containerd = await startContainerd({
        network,
        sandboxImage: `${registry.host}/orrery/pause:1`,
        registries: { [registry.host]: registry.host },
      });
      return {
        registry,
        hostAddress: network.thereAddress,
        open: () => openRemoteRuntime({ endpoint: containerd.endpoint, clock: realClock }),
        async close() {
          await containerd.close();
          await registry.close();
          await network.close();
        },
      };
    },
  });
});
