import { busyboxImage, type TestImage } from '@orrery/cri-oci/testing';
import { containerdProblem, makeTestBridge, startContainerd } from '@orrery/cri-remote/testing';
import type { TestClusterOptions } from '../support/cluster.ts';
import { type ImageRegistry, startImageRegistry } from '../support/image-registry.ts';

/** One way to run the suite's pods. The images that it names: `busybox`, `idle` (ends at once when it is told to), `nginx` with some tags. */
export interface Driver {
  readonly name: string;
  /** Pods have a file system, processes and an address of their own. */
  readonly isolates: boolean;
  /** Why it cannot be used here; undefined when it can. */
  problem(): Promise<string | undefined>;
  /** Starts what must be there before the cluster. */
  prepare(): Promise<Prepared>;
}

export interface Prepared {
  readonly options: TestClusterOptions;
  /** After the cluster is gone. */
  close(): Promise<void>;
}

/** Runs until it is told to end, and then ends at once, also as the first process of a container: no other takes SIGTERM by itself there. */
export const idle = 'trap "exit 0" TERM; while :; do sleep 1000 & wait; done';

const nginxTags = ['latest', '1', '2', '5'];

/** What stands for the images where pods are plain processes. */
const imageMap = `
images:
  "nginx*":
    entrypoint: ["python3", "-u", "-m", "http.server", "--bind", "$(POD_IP)"]
    command: ["80"]
  "busybox*":
    entrypoint: []
    command: ["sh"]
  "idle*":
    entrypoint: ["sh", "-c", ${JSON.stringify(idle)}]
`;

export const processDriver: Driver = {
  name: 'process',
  isolates: false,
  problem: async () => undefined,
  prepare: async () => ({ options: { imageMap }, close: async () => undefined }),
};

export const ociDriver: Driver = {
  name: 'oci',
  isolates: true,
  problem: async () => (process.geteuid?.() === 0 ? undefined : 'containers need root here'),
  async prepare() {
    const registry = await startRegistryWithImages();
    return { options: { up: ['--runtime=oci'], registries: registry.registries }, close: registry.close };
  },
};

const pause: TestImage = busyboxImage({ Entrypoint: ['sleep', 'infinity'] });

/** A containerd of our own, on a bridge of our own; it pulls from the same registry. */
export const remoteDriver: Driver = {
  name: 'remote',
  isolates: true,
  problem: containerdProblem,
  async prepare() {
    const registry = await startRegistryWithImages();
    const network = await makeTestBridge();
    const containerd = await startContainerd({
      network,
      sandboxImage: `${registry.host}/orrery/pause:1`,
      registries: { 'docker.io': registry.host, [registry.host]: registry.host },
    });
    return {
      options: { up: [`--runtime=${containerd.endpoint}`] },
      async close() {
        await containerd.close();
        await network.close();
        await registry.close();
      },
    };
  },
};

async function startRegistryWithImages(): Promise<ImageRegistry> {
  const registry = await startImageRegistry(nginxTags);
  await registry.push('library/idle', 'latest', busyboxImage({ Entrypoint: ['sh', '-c', idle] }));
  await registry.push('orrery/pause', '1', pause);
  return registry;
}
