import { realClock, systemRandom } from '@orrery/base';
import { describeRuntimeConformance, startConformanceRegistry } from '@orrery/cri/conformance';
import { parseImageMap } from './image-map.ts';
import { openProcessRuntime } from './process-runtime.ts';

const environment = { PATH: process.env['PATH'] ?? '', HOME: '/' };

describeRuntimeConformance('process', {
  abilities: {
    images: false,
    isolation: false,
    limits: false,
    users: process.geteuid?.() === 0,
    hostPorts: false,
    userNamespaces: false,
    propagation: false,
    filtersImages: true,
    events: true,
    abortsExec: true,
  },
  async start() {
    const registry = await startConformanceRegistry(); // For the names of images: nothing is pulled.
    const imageMap = parseImageMap({ images: { '*': { entrypoint: ['/bin/sh'] } } });
    return {
      registry,
      open: (directory) =>
        openProcessRuntime({ directory, clock: realClock, random: systemRandom, imageMap, environment, hostAddress: '127.0.0.1' }),
      close: () => registry.close(),
    };
  },
});
