import { existsSync } from 'node:fs';
import { type Client, loadKubeconfig, newClient, resolveContext, transportFromKubeconfig } from '@orrery/client';
import { type CliContext, CliError } from '../cli/command.ts';

/** Where a cluster of this machine is, and how to reach it with all rights. */
export interface AdminAccess {
  readonly client: Client;
  readonly server: string;
  /** PEM. */
  readonly ca: string;
}

/** Runs `use` with a client of a running cluster. @throws {CliError} when there is no such cluster. */
export async function withAdminClient<T>(name: string, { paths, clock }: CliContext, use: (access: AdminAccess) => Promise<T>): Promise<T> {
  const { kubeconfig } = paths.cluster(name);
  if (!existsSync(kubeconfig)) throw new CliError(`there is no cluster "${name}": start it with "orrery up"`);
  const config = await loadKubeconfig([kubeconfig]);
  const { cluster } = resolveContext(config);
  const transport = await transportFromKubeconfig(config, { clock });
  try {
    const ca = Buffer.from(cluster['certificate-authority-data'] ?? '', 'base64').toString('utf8');
    return await use({ client: newClient(transport), server: cluster.server ?? '', ca });
  } finally {
    await transport.close();
  }
}
