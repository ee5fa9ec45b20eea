import { lstat, readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '@orrery/base';
import { CliError } from '../../cli/command.ts';
import { findRootlessParts } from '../../rootless/parts.ts';
import { readRegistries } from '../registries.ts';
import type { OpenedRuntime, RuntimeDriver, RuntimeOptions } from './driver.ts';

/** Containers on crun or runc, on a bridge of their own. */
export const ociDriver: RuntimeDriver = {
  name: 'oci',
  async problem({ environment, wanted }) {
    if (process.platform !== 'linux') return 'containers need Linux';
    const { findOciRuntime } = await import('@orrery/cri-oci');
    const { problems } = await findOciRuntime(environment['PATH'], wanted);
    if (process.getuid?.() !== 0) {
      const more = await findRootlessParts(environment['PATH']);
      return [...problems, ...more.problems].join('; ') || 'a machine that joins others needs root for containers';
    }
    return problems.length === 0 ? undefined : problems.join('; ');
  },
  open,
  async cleanUp({ directory, instanceId, clock }) {
    const [{ freeDirectoryMounts, removeUserRoots }, { cleanUpNetwork }, { cleanUpKubeProxy }] = await Promise.all([
      import('@orrery/cri-oci'),
      import('@orrery/pod-network'),
      import('@orrery/kube-proxy'),
    ]);
    await allOf([
      () => cleanUpNetwork(instanceId),
      () => cleanUpKubeProxy(instanceId),
      () => freeDirectoryMounts(join(directory, 'oci')),
      () => removeUserRoots(instanceId),
      () => removeCgroups(cgroupRootOf(instanceId), clock),
    ]);
  },
};

/** One after the other, the rest too when one fails. @throws {AggregateError} */
async function allOf(steps: readonly (() => Promise<unknown>)[]): Promise<void> {
  const failures: unknown[] = [];
  for (const step of steps) await step().catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw new AggregateError(failures, failures.map(messageOf).join('; '));
}

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
  const images = await openImageStore({ directory: join(directory, 'images'), clock, random, log, registries });
  try {
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
    await images.close();
    await network.close();
    throw err;
  }
}

const CGROUP_TRIES = 20;
const CGROUP_WAIT_MS = 50; // Together 1 s: the kernel needs a moment after the last process.

/** Removes our control groups, which nobody is in any more, from every hierarchy. */
async function removeCgroups(root: string, clock: Clock): Promise<void> {
  const hierarchies = await readdir('/sys/fs/cgroup').catch(() => []);
  const tops = ['/sys/fs/cgroup', ...hierarchies.map((name) => join('/sys/fs/cgroup', name))];
  for (let tries = 0; tries < CGROUP_TRIES; tries += 1) {
    const gone = await Promise.all(tops.map((top) => removeTree(join(top, root))));
    if (gone.every(Boolean)) return;
    await clock.sleep(CGROUP_WAIT_MS);
  }
}

/** @returns whether it is gone. */
async function removeTree(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isDirectory() !== true) return true;
  const entries = await readdir(path, { withFileTypes: true });
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(path, entry.name));
  return rmdir(path).then(
    () => true,
    () => false, // Still busy.
  );
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
