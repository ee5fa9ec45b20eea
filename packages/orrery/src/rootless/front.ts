import { readFile } from 'node:fs/promises';
import type { AddressInfo, Server } from 'node:net';
import type { Clock } from '@orrery/base';
import type { Logger } from '@orrery/component';
import { CliError } from '../cli/command.ts';
import type { ClusterPaths } from '../cli/paths.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { HostLink } from './host-link.ts';
import { carryTcp, newHostPorts } from './host-ports.ts';
import { ROOTLESS_NOTES } from './inside.ts';

/** The API server's port on the machine. */
export interface Front {
  readonly server: Server;
  readonly port: number;
}

const PORT_DEFAULT = 6443;

/**
 * Opens the port asked for, or the one this cluster had last, or 6443, or any free one.
 *
 * @throws {CliError} when a port that was asked for is in use.
 */
export async function openFront(
  link: HostLink,
  { data }: ClusterPaths,
  host: string,
  asked: number | undefined,
  name: string,
): Promise<Front> {
  const last = Number(await readFile(`${data}/port`, 'utf8').catch(() => ''));
  const fixed = asked ?? (Number.isSafeInteger(last) && last > 0 ? last : undefined);
  const open = async (port: number): Promise<Front> => {
    const server = await link.listen(host, port);
    return { server, port: (server.address() as AddressInfo).port };
  };
  try {
    if (fixed !== undefined || name !== 'default') return await open(fixed ?? 0);
    return await open(PORT_DEFAULT).catch(() => open(0));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause;
    throw new CliError(`port ${fixed} of ${host} is in use: end the program that listens there, or choose another port with --port`, {
      cause,
    });
  }
}

/** A cluster in namespaces whose API server and node ports are reached on the machine. */
export function withFront(
  cluster: Cluster,
  link: HostLink,
  { server, port }: Front,
  { clock, log, host }: { readonly clock: Clock; readonly log: Logger; readonly host: string },
): Cluster {
  const api = carryTcp(server, port);
  const stopping = new AbortController();
  const ports = newHostPorts({ link, informers: cluster.informers, clock, log, host, except: [port] });
  const open = ports.run(stopping.signal);
  return {
    ...cluster,
    async stop() {
      stopping.abort();
      await open;
      api.close();
      await cluster.stop();
    },
  };
}

/** What a cluster in namespaces cannot do, for people. */
export function rootlessNotes(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  const notes = env[ROOTLESS_NOTES];
  if (notes === undefined) return [];
  const first =
    'Orrery runs without root: pods and Services have their addresses in a network of their own; from this machine use node ports, host ports or kubectl port-forward';
  return [first, ...(JSON.parse(notes) as readonly string[])];
}
