import { realClock, systemRandom } from '@orrery/base';
import { describeRuntimeConformance } from '@orrery/cri/conformance';
import { parseImageMap } from './image-map.ts';
import { openProcessRuntime } from './process-runtime.ts';

describeRuntimeConformance('process', {
  image: 'orrery.test/shell:1',
  open: (directory) =>
    openProcessRuntime({
      directory,
      clock: realClock,
      random: systemRandom,
      imageMap: parseImageMap({ images: { 'orrery.test/*': { entrypoint: ['/bin/sh'] } } }),
      environment: { PATH: process.env['PATH'] ?? '', HOME: '/' },
      hostAddress: '127.0.0.1',
    }),
});
