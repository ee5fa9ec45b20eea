import type { Runtime } from '@orrery/cri';

/** Given to every container to end by itself when the whole cluster stops. */
export const STOP_SECONDS = 10;

/**
 * Ends every pod of a runtime: SIGTERM, at most `graceSeconds`, SIGKILL. Their objects stay in the API and run again at the next start.
 *
 * @returns why some could not be ended; empty when all were.
 */
export async function stopAllPods(runtime: Runtime, graceSeconds: number): Promise<readonly unknown[]> {
  const { containers = [] } = await runtime.listContainers({ filter: { state: { state: 'CONTAINER_RUNNING' } } });
  const stopped = await Promise.allSettled(
    containers.map(({ id = '' }) => runtime.stopContainer({ containerId: id, timeout: graceSeconds })),
  );
  const { items = [] } = await runtime.listPodSandbox({});
  const ended = await Promise.allSettled(items.map(({ id = '' }) => runtime.stopPodSandbox({ podSandboxId: id })));
  return [...stopped, ...ended].flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
}
