import { join } from 'node:path';
import { realClock, systemRandom } from '@orrery/base';
import { describeRuntimeConformance, startConformanceRegistry } from '@orrery/cri/conformance';
import { describe } from 'vitest';
import { newPlainNetwork } from './driver-test/plain-network.ts';
import { findOciRuntime } from './host/find-oci-runtime.ts';
import { openImageStore } from './images/open-image-store.ts';
import { openOciRuntime } from './oci-runtime.ts';

const isRoot = process.geteuid?.() === 0;
const instanceId = `t${process.pid}`;

for (const kind of ['crun', 'runc']) {
  const { runtimes, problems } = await findOciRuntime(process.env['PATH'], kind);
  const usable = isRoot && runtimes.length > 0 && problems.length === 0;
  describe.skipIf(!usable)(kind, () => {
    describeRuntimeConformance(`oci on ${kind}`, {
      abilities: {
        images: true,
        isolation: true,
        limits: true,
        users: true,
        hostPorts: false, // The plain network has none.
        userNamespaces: kind === 'crun', // Which every kernel since 6.3 has.
        propagation: true,
        filtersImages: true,
        events: true,
        abortsExec: true,
      },
      async start() {
        const network = newPlainNetwork(`orrery-${instanceId}`);
        const registry = await startConformanceRegistry();
        const mirror = { endpoints: [new URL(`http://${registry.host}/`)], rewrites: [] };
        const registries = { mirrors: new Map([[registry.host, mirror]]), configs: new Map() };
        return {
          registry,
          async open(directory) {
            const images = await openImageStore({
              directory: join(directory, 'images'),
              clock: realClock,
              random: systemRandom,
              registries,
            });
            return openOciRuntime({
              directory: join(directory, 'oci'),
              clock: realClock,
              random: systemRandom,
              instanceId,
              network,
              images,
              ociRuntime: kind,
              environment: process.env,
            });
          },
          close: () => registry.close(),
        };
      },
    });
  });
}
