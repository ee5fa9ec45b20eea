import { join } from 'node:path';
import { Readable } from 'node:stream';
import { realClock, systemRandom } from '@orrery/base';
import { describeRuntimeConformance } from '@orrery/cri/conformance';
import { describe } from 'vitest';
import { newPlainNetwork } from './driver-test/plain-network.ts';
import { findOciRuntime } from './host/find-oci-runtime.ts';
import { openImageStore } from './images/open-image-store.ts';
import { openOciRuntime } from './oci-runtime.ts';
import { busyboxImage } from './testing/index.ts';

const image = 'orrery.test/busybox:1';
const isRoot = process.geteuid?.() === 0;
const instanceId = `t${process.pid}`;

for (const kind of ['crun', 'runc']) {
  const { runtimes, problems } = await findOciRuntime(process.env['PATH'], kind);
  const usable = isRoot && runtimes.length > 0 && problems.length === 0;
  describe.skipIf(!usable)(kind, () => {
    const network = newPlainNetwork(`orrery-${instanceId}`);
    describeRuntimeConformance(`oci on ${kind}`, {
      image,
      async open(directory) {
        const images = await openImageStore({ directory: join(directory, 'images'), clock: realClock, random: systemRandom });
        if (images.resolve(image) === undefined) await images.load(Readable.from([busyboxImage().archive(image)]));
        return openOciRuntime({
          directory: join(directory, 'oci'),
          clock: realClock,
          random: systemRandom,
          instanceId,
          network,
          images: {
            ...images,
            pull: async ({ reference }) =>
              images.resolve(reference) ??
              (await images.load(Readable.from([busyboxImage().archive(image)])))[0] ??
              images.pull({ reference }),
          },
          ociRuntime: kind,
          environment: process.env,
        });
      },
    });
  });
}
