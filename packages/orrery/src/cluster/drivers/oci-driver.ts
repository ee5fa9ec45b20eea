import { lstat, readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CliError } from '../../cli/command.ts';
import { readRegistries } from '../registries.ts';
import type { OpenedRuntime, RuntimeDriver, RuntimeOptions } from './driver.ts';

/** Containers on crun or runc, on a bridge of their own. */
export const ociDriver: RuntimeDriver = {
  name: 'oci',
  async problem({ environment, wanted }) {
    if (process.platform !== 'linux') return 'containers need Linux';
    if (process.getuid?.() !== 0) return 'containers need root here';
    const { findOciRuntime } = await import('@orrery/cri-oci');
    const { problems } = await findOciRuntime(environment['PATH'], wanted);
    return problems.length === 0 ? undefined : problems.join('; ');
  },
  open,
  async cleanUp({ directory, instanceId }) {
    const [{ freeDirectoryMounts }, { cleanUpNetwork }, { cleanUpKubeProxy }] = await Promise.all([
      import('@orrery/cri-oci'),
      import('@orrery/pod-network'),
      import('@orrery/kube-proxy'),
    ]);
    await cleanUpNetwork(instanceId);
    await cleanUpKubeProxy(instanceId);
    await freeDirectoryMounts(join(directory, 'oci'));
    await removeCgroups(cgroupRootOf(instanceId));
  },
};

const cgroupRootOf = (instanceId: string): string => `/orrery-${instanceId}`;

async function open(options: RuntimeOptions): Promise<OpenedRuntime> {
  const { directory, clock, random, log, instanceId, ranges, podCidr, machineAddress, environment, wanted } = options;
  const [{ openImageStore, openOciRuntime }, { openPodNetwork }] = await Promise.all([
    import('@orrery/cri-oci'),
    import('@orrery/pod-network'),
  ]);
  const registries = options.registries === undefined ? undefined : await readRegistries(options.registries);
  const network = await openPodNetwork({
    instanceId,
    directory: join(directory, 'network'),
    clock,
    log: log.with({ component: 'pod-network' }),
    podCidrs: [podCidr],
    clusterCidrs: [ranges.pods],
    overlay: machineAddress !== undefined,
  }).catch((cause: unknown) => {
    throw new CliError(`no network for pods can be made here: ${messageOf(cause)}; "--runtime process" needs none`, { cause });
  });
  try {
    const images = await openImageStore({ directory: join(directory, 'images'), clock, random, log, registries });
    const address = machineAddress ?? network.gateway;
    const runtime = await openOciRuntime({
      directory: join(directory, 'oci'),
      clock,
      random,
      instanceId,
      network,
      images,
      ociRuntime: wanted === 'oci' ? undefined : wanted,
      environment,
      cgroupRoot: cgroupRootOf(instanceId),
      hostAddresses: [address],
    });
    return {
      name: 'oci',
      runtime,
      notes: [...network.notes, ...images.notes, ...runtime.notes],
      address,
      services: { mode: 'nftables', address: network.gateway, podInterface: network.bridge, bridge: network },
      cgroupRoot: cgroupRootOf(instanceId),
      async close() {
        await runtime.close();
        await images.close();
        await network.close();
      },
    };
  } catch (err) {
    await network.close();
    throw err;
  }
}

/** Removes our control groups, which nobody is in any more, from every hierarchy. */
async function removeCgroups(root: string): Promise<void> {
  const hierarchies = await readdir('/sys/fs/cgroup').catch(() => []);
  const tops = ['/sys/fs/cgroup', ...hierarchies.map((name) => join('/sys/fs/cgroup', name))];
  for (const top of tops) await removeTree(join(top, root));
}

async function removeTree(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isDirectory() !== true) return;
  const entries = await readdir(path, { withFileTypes: true });
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(path, entry.name));
  await rmdir(path).catch(() => undefined); // One that is still dying: the kernel frees it, the next clean-up removes it.
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
