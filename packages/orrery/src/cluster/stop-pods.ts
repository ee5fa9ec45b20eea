import { existsSync } from 'node:fs';
import type { Clock, Random } from '@orrery/base';
import type { Runtime } from '@orrery/cri';
import { emptyImageMap } from '@orrery/cri-process';
import type { ClusterPaths } from '../cli/paths.ts';
import { runtimeDrivers } from './runtimes.ts';

/** Stops the pods that a killed Orrery left running, by the records of every driver. */
export async function stopLeftoverPods(
  { node }: ClusterPaths,
  clock: Clock,
  random: Random,
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  if (!existsSync(node)) return;
  for (const driver of runtimeDrivers) {
    const { runtime } = await driver.open({
      directory: node,
      clock,
      random,
      imageMap: emptyImageMap,
      environment,
      hostAddress: '127.0.0.1',
    });
    await stopAllPods(runtime, STOP_SECONDS);
    await runtime.close();
  }
}

/** Given to every container to end by itself when the whole cluster stops. */
export const STOP_SECONDS = 10;

/** Ends every pod of a runtime: SIGTERM, at most `graceSeconds`, SIGKILL. Their objects stay in the API and run again at the next start. */
export async function stopAllPods(runtime: Runtime, graceSeconds: number): Promise<void> {
  const { containers = [] } = await runtime.listContainers({ filter: { state: { state: 'CONTAINER_RUNNING' } } });
  await Promise.all(containers.map(({ id = '' }) => runtime.stopContainer({ containerId: id, timeout: graceSeconds })));
  const { items = [] } = await runtime.listPodSandbox({ filter: { state: { state: 'SANDBOX_READY' } } });
  for (const { id = '' } of items) await runtime.stopPodSandbox({ podSandboxId: id });
}
