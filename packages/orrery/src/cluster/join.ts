import { join } from 'node:path';
import { isStatusError } from '@orrery/apimachinery';
import { bootstrapNode, JoinError, type NodeCredentials } from '@orrery/kubelet';
import { type CliContext, CliError } from '../cli/command.ts';

export interface JoinOptions {
  /** URL of the API server. */
  readonly server: string;
  /** Not needed when the machine has joined before. */
  readonly token: string | undefined;
  /** `sha256:<hex>` */
  readonly caHash: string;
  readonly nodeName: string;
  /** Everything that the node keeps; certificates are in `pki` there. */
  readonly directory: string;
  /** Where the API server reaches this node. */
  readonly addresses: readonly string[];
}

/** Makes this machine a node of the cluster, or finds that it is one. @throws {CliError} with what to do. */
export async function joinCluster(options: JoinOptions, { clock, random }: CliContext, signal: AbortSignal): Promise<NodeCredentials> {
  const { directory, ...rest } = options;
  try {
    return await bootstrapNode({ ...rest, directory: join(directory, 'pki'), clock, random, signal });
  } catch (cause) {
    if (cause instanceof JoinError) throw new CliError(cause.message, { cause });
    if (isStatusError(cause)) throw new CliError(`cannot join ${options.server}: ${cause.message}`, { cause });
    throw cause;
  }
}
