import type { Runtime } from '@orrery/cri';

/** Given to every container to end by itself when the whole cluster stops. */
export const STOP_SECONDS = 10;

/** Ends every pod of a runtime: SIGTERM, at most `graceSeconds`, SIGKILL. Their objects stay in the API and run again at the next start. */
export async function stopAllPods(runtime: Runtime, graceSeconds: number): Promise<void> {
  const { containers = [] } = await runtime.listContainers({ filter: { state: { state: 'CONTAINER_RUNNING' } } });
  await Promise.all(containers.map(({ id = '' }) => runtime.stopContainer({ containerId: id, timeout: graceSeconds })));
  const { items = [] } = await runtime.listPodSandbox({});
  await Promise.all(items.map(({ id = '' }) => runtime.stopPodSandbox({ podSandboxId: id })));
}
