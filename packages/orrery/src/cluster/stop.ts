import { newLogger } from '@orrery/component';
import type { CliContext } from '../cli/command.ts';
import { CliError } from '../cli/command.ts';
import { isProcessAlive, removeInstance, runningInstance } from './instance.ts';
import { endLeftovers } from './node-host.ts';

const POLL_MS = 20;
/** Pods may take their grace period (30 s by default) to end. */
const STOP_TIMEOUT_MS = 90_000;

/**
 * Ends the process that serves a cluster and waits for it, and, unless `keepPods`, every process of its pods, also those that
 * a killed Orrery left behind.
 *
 * @returns false when the cluster did not run.
 * @throws {CliError} when the process does not end in 90 s.
 */
export async function stopCluster(
  name: string,
  { keepPods }: { readonly keepPods: boolean },
  context: CliContext,
  signal: AbortSignal,
): Promise<boolean> {
  const { paths, clock, err } = context;
  const cluster = paths.cluster(name);
  const instance = await runningInstance(cluster.instance);
  if (instance === undefined) {
    if (!keepPods) await endLeftovers(cluster, context, newLogger({ write: (line) => err.write(line), clock, level: 'warn' }));
    await removeInstance(cluster.instance);
    return false;
  }
  process.kill(instance.pid, keepPods ? STOP_KEEPING_PODS : 'SIGTERM');
  const deadlineMs = clock.monotonicMs() + STOP_TIMEOUT_MS;
  while (await isProcessAlive(instance)) {
    if (clock.monotonicMs() > deadlineMs) {
      throw new CliError(
        `cluster "${name}" did not stop in ${STOP_TIMEOUT_MS / 1000} s: look at "orrery logs --name ${name}", or end process ${instance.pid} yourself`,
      );
    }
    await clock.sleep(POLL_MS, signal);
  }
  return true;
}

/** Asks a running Orrery to stop and to leave its pods running. */
export const STOP_KEEPING_PODS = 'SIGUSR2';
