import { newLogger } from '@orrery/component';
import type { CliContext } from '../cli/command.ts';
import { CliError } from '../cli/command.ts';
import type { Home } from '../cli/home.ts';
import { endInnerLeftovers } from '../rootless/inner-commands.ts';
import { isOrdinaryUser } from '../rootless/inside.ts';
import { hasNamespaces } from '../rootless/supervisor.ts';
import { isProcessAlive, removeInstance, runningInstance } from './instance.ts';
import { endLeftovers } from './node-host.ts';

const POLL_MS = 20;
/** Pods may take their grace period (30 s by default) to end. */
const STOP_TIMEOUT_MS = 90_000;

/**
 * Ends the process that serves a cluster or a joined node and waits for it, and, unless `keepPods`, every process of its pods, also those
 * that a killed Orrery left behind.
 *
 * @returns false when it did not run.
 * @throws {CliError} when the process does not end in 90 s.
 */
export async function stopHome(
  { label, flags, cluster, paths }: Home,
  { keepPods }: { readonly keepPods: boolean },
  context: CliContext,
  signal: AbortSignal,
): Promise<boolean> {
  const { clock, err } = context;
  const instance = await runningInstance(paths.instance);
  if (instance === undefined) {
    if (!keepPods && isOrdinaryUser() && cluster !== undefined && hasNamespaces(paths)) await endInnerLeftovers(cluster, paths, context);
    else if (!keepPods) await endLeftovers(paths, context, newLogger({ write: (line) => err.write(line), clock, level: 'warn' }));
    await removeInstance(paths.instance);
    return false;
  }
  process.kill(instance.pid, keepPods ? STOP_KEEPING_PODS : 'SIGTERM');
  const deadlineMs = clock.monotonicMs() + STOP_TIMEOUT_MS;
  while (await isProcessAlive(instance)) {
    if (clock.monotonicMs() > deadlineMs) {
      const look = cluster === undefined ? 'look at what it says' : `look at "orrery logs${flags}"`;
      throw new CliError(`${label} did not stop in ${STOP_TIMEOUT_MS / 1000} s: ${look}, or end process ${instance.pid} yourself`);
    }
    await clock.sleep(POLL_MS, signal);
  }
  return true;
}

/** Asks a running Orrery to stop and to leave its pods running. */
export const STOP_KEEPING_PODS = 'SIGUSR2';
