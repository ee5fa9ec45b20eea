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
  /** Of the certificates. */
  readonly directory: string;
  /** Where the API server reaches this node. */
  readonly addresses: readonly string[];
}

/** Makes this machine a node of the cluster, or finds that it is one. @throws {CliError} with what to do. */
export function joinCluster(options: JoinOptions, { clock, random }: CliContext, signal: AbortSignal): Promise<NodeCredentials> {
  return tellingWhy(`cannot join ${options.server}`, () => bootstrapNode({ ...options, clock, random, signal }));
}

/** What an operator can mend as words for him. @throws {CliError} */
export async function tellingWhy<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof JoinError) throw new CliError(cause.message, { cause });
    if (isStatusError(cause)) throw new CliError(`${what}: ${cause.message}`, { cause });
    throw cause;
  }
}
