import { existsSync } from 'node:fs';
import { newLogger } from '@orrery/component';
import type { CliContext } from '../cli/command.ts';
import { CliError } from '../cli/command.ts';
import type { Home } from '../cli/home.ts';
import type { ClusterPaths } from '../cli/paths.ts';
import { endInnerLeftovers } from '../rootless/inner-commands.ts';
import { isOrdinaryUser, servingPid } from '../rootless/inside.ts';
import { hasNamespaces } from '../rootless/supervisor.ts';
import { claimInstance, type Instance, isProcessAlive, newInstance, removeInstance, runningInstance } from './instance.ts';
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
  if (!existsSync(paths.data)) return false;
  const { clock, env } = context;
  const pid = servingPid(env);
  const instance = await claimToEnd(paths, newInstance(pid, 'ending', clock));
  if (instance === undefined) {
    try {
      if (!keepPods) await endWithout(cluster, paths, context);
    } finally {
      await removeInstance(paths.instance, pid);
    }
    return false;
  }
  const isEnding = instance.phase === 'ending'; // Somebody else removes what a killed one left.
  if (!isEnding) process.kill(instance.pid, keepPods ? STOP_KEEPING_PODS : 'SIGTERM');
  const deadlineMs = clock.monotonicMs() + STOP_TIMEOUT_MS;
  while (await isProcessAlive(instance)) {
    if (clock.monotonicMs() > deadlineMs) {
      const look = cluster === undefined ? 'look at what it says' : `look at "orrery logs${flags}"`;
      throw new CliError(`${label} did not stop in ${STOP_TIMEOUT_MS / 1000} s: ${look}, or end process ${instance.pid} yourself`);
    }
    await clock.sleep(POLL_MS, signal);
  }
  return !isEnding;
}

/** On a full disk nothing can be claimed, and what is left over must go all the same: then only who is there already is seen. */
async function claimToEnd({ instance: path }: ClusterPaths, own: Instance): Promise<Instance | undefined> {
  try {
    return await claimInstance(path, own);
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'ENOSPC') return runningInstance(path);
    throw err;
  }
}

/** What a killed Orrery left behind. */
async function endWithout(cluster: string | undefined, paths: ClusterPaths, context: CliContext): Promise<void> {
  const { clock, err } = context;
  if (isOrdinaryUser() && cluster !== undefined && hasNamespaces(paths)) await endInnerLeftovers(cluster, paths, context);
  else await endLeftovers(paths, context, newLogger({ write: (line) => err.write(line), clock, level: 'warn' }));
}

/** Asks a running Orrery to stop and to leave its pods running. */
export const STOP_KEEPING_PODS = 'SIGUSR2';
