import { type CliContext, CliError } from '../cli/command.ts';
import { foregroundArguments } from '../cluster/detached.ts';
import { containerEnvironment } from '../cluster/environment.ts';
import { upForeground } from '../cluster/foreground.ts';
import { runningInstance } from '../cluster/instance.ts';
import type { UpOptions } from '../cmd/up.ts';
import { endInnerLeftovers } from './inner-commands.ts';
import { isOrdinaryUser } from './inside.ts';
import { findRootlessParts, type RootlessParts } from './parts.ts';
import { hasNamespaces, runSupervised } from './supervisor.ts';

/** Runs a cluster until `signal` aborts: in this process, or, for an ordinary user who gets containers, in namespaces. */
export async function up(options: UpOptions, context: CliContext, signal: AbortSignal): Promise<number> {
  const { paths, env } = context;
  const cluster = paths.cluster(options.name);
  const running = await runningInstance(cluster.instance);
  if (isOrdinaryUser() && running === undefined) {
    const parts = await partsFor(options, env);
    if (parts !== undefined) return runSupervised(['up', ...foregroundArguments(options)], cluster, parts, context, signal);
    if (hasNamespaces(cluster)) await endInnerLeftovers(options.name, cluster, context);
  }
  await upForeground(options, context, signal);
  return 0;
}

/** @throws {CliError} when containers are asked for and cannot be had. */
async function partsFor({ runtime, imageMap }: UpOptions, env: CliContext['env']): Promise<RootlessParts | undefined> {
  if (runtime === 'process' || runtime?.startsWith('unix:') === true || (runtime === undefined && imageMap !== undefined)) return undefined;
  const { findOciRuntime } = await import('@orrery/cri-oci');
  const wanted = runtime === 'oci' ? undefined : runtime;
  const path = containerEnvironment(env)['PATH'];
  const [oci, found] = await Promise.all([findOciRuntime(path, wanted), findRootlessParts(path)]);
  const problems = [...oci.problems, ...found.problems];
  if (problems.length === 0) return found.parts;
  if (runtime !== undefined) throw new CliError(`--runtime ${runtime}: ${problems.join('; ')}`);
  return undefined; // Plain processes, with a note that says why.
}
