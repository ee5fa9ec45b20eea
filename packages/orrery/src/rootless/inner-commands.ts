import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { sealedStdio } from '@orrery/base';
import { type CliContext, CliError } from '../cli/command.ts';
import type { ClusterPaths } from '../cli/paths.ts';
import { isOrdinaryUser, ROOTLESS } from './inside.ts';
import { endNamespaces, enterArguments, findNamespaces, makeNamespaces, type Namespaces } from './namespaces.ts';
import { findRootlessParts, type RootlessParts } from './parts.ts';
import { namespacesFile } from './supervisor.ts';

/** Whether this user's cluster has files of users that exist only in its namespaces. */
export const hasInnerFiles = ({ node }: ClusterPaths): boolean => isOrdinaryUser() && existsSync(join(node, 'images'));

type Context = Pick<CliContext, 'clock' | 'env'>;

/**
 * Runs a command as root of the cluster's user and mount namespaces, in this machine's network, or in the cluster's own one with `network`.
 * They are made for it when the cluster does not run.
 *
 * @returns its exit code.
 */
export async function runInside(argv: readonly string[], paths: ClusterPaths, { clock, env }: Context, directory: string): Promise<number> {
  const { parts, problems } = await findRootlessParts(env['PATH']);
  if (parts === undefined) throw new CliError(`the files of this cluster cannot be reached: ${problems.join('; ')}`);
  const found = await findNamespaces(namespacesFile(paths));
  const namespaces = found ?? (await makeNamespaces('', parts, { clock, network: false }));
  try {
    return await runIn(namespaces, argv, { parts, env, directory });
  } finally {
    if (found === undefined) await endNamespaces('', namespaces, clock);
  }
}

interface Place {
  readonly parts: RootlessParts;
  readonly env: Context['env'];
  readonly directory: string;
  readonly network?: boolean;
  readonly quiet?: boolean;
}

async function runIn(
  namespaces: Namespaces,
  argv: readonly string[],
  { parts, env, directory, network = false, quiet = false }: Place,
): Promise<number> {
  const [program = '', ...args] = [...enterArguments(parts.nsenter, namespaces, network, directory), ...argv];
  const child = spawn(program, args, {
    stdio: sealedStdio(['inherit', quiet ? 'ignore' : 'inherit', 'inherit']),
    env: { ...env, [ROOTLESS]: '1' },
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? 1;
}

/** Ends what a killed Orrery left in its namespaces, and those too. */
export async function endInnerLeftovers(
  name: string,
  paths: ClusterPaths,
  { clock, env, self }: Context & Pick<CliContext, 'self'>,
): Promise<void> {
  const file = namespacesFile(paths);
  const found = await findNamespaces(file);
  const { parts } = await findRootlessParts(env['PATH']);
  if (parts === undefined) {
    if (found !== undefined) await endNamespaces(file, found, clock);
    return;
  }
  const namespaces = found ?? (await makeNamespaces(file, parts, { clock, network: true }));
  try {
    await runIn(namespaces, [...self, 'down', `--name=${name}`], { parts, env, directory: '/', network: true, quiet: true });
  } finally {
    await endNamespaces(file, namespaces, clock);
  }
}
