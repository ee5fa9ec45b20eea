import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { nodes, serviceCidrs } from '@orrery/api';
import type { Node } from '@orrery/api/core/v1';
import { isAlreadyExists, type NewObject } from '@orrery/apimachinery';
import { type Client, newClient, newInformerFactory } from '@orrery/client';
import { newLogger } from '@orrery/component';
import { runAll } from '@orrery/controller';
import { waitForPodCidr } from '@orrery/pod-network';
import { type CliContext, CliError } from '../cli/command.ts';
import type { ClusterPaths } from '../cli/paths.ts';
import type { RunNode } from '../cmd/node.ts';
import { type AddressRanges, knownRanges } from './address-ranges.ts';
import { joinCluster } from './join.ts';
import { nodeParts, overlayIdOf } from './node.ts';
import { openNodeHost } from './node-host.ts';
import { makePrivateFolder } from './private-folder.ts';
import { newProgress } from './progress.ts';

/** Joins a cluster that runs elsewhere and runs this machine's part of it until `signal` aborts. */
export const runNode: RunNode = async (options, context, signal) => {
  const { clock, random, err } = context;
  const { nodeName, directory } = options;
  await makePrivateFolder(directory);
  const address = options.address ?? (await addressTowards(options.server));
  const credentials = await joinCluster({ ...options, addresses: [address] }, context, signal);
  const { transport, ca, serving } = credentials;
  const log = newLogger({ write: (line) => err.write(line), clock, level: 'warn' });
  const client = newClient(transport);
  await makeNode(client, nodeName);
  const [ranges, [podCidr = '']] = await Promise.all([rangesOfCluster(client), waitForPodCidr(client, nodeName, { clock, signal })]);
  const host = await openNodeHost({ ...options, machineAddress: address, ranges, podCidr }, pathsOf(directory), context, log);
  const informers = newInformerFactory(client, { clock, random, log });
  const { runtime, services, cgroupRoot, instanceId } = host;
  const network = services === undefined ? {} : { network: { instanceId, services, ranges, overlayId: overlayIdOf(ca) } };
  const parts = nodeParts(
    {
      name: nodeName,
      runtime,
      directory: pathsOf(directory).node,
      address: host.address,
      maxPods: options.maxPods,
      podMaxPids: options.podMaxPids,
      server: { ...serving, clientCa: ca },
      ...(cgroupRoot === undefined ? {} : { cgroupRoot }),
      ...network,
    },
    { clock, random, log, informers, transportFor: () => transport },
  );
  sayReady(options.server, nodeName, host.name, host.notes, context);
  try {
    // A renewed serving certificate is used from the next start on.
    await runAll([informers, ...parts, { run: (stop) => credentials.run(stop, () => undefined) }], signal);
  } finally {
    await host.end();
    await transport.close();
  }
};

function sayReady(server: string, nodeName: string, driver: string, notes: readonly string[], { err }: CliContext): void {
  err.write(`Node ${nodeName} of ${server} (${driver} driver)\n`);
  const progress = newProgress(err);
  for (const note of notes) progress.note(note);
  err.write('Press Ctrl+C to stop it: its pods end, and run elsewhere when the cluster notices.\n');
}

/** A node keeps no store and no kubeconfig: only the places of its pods are used. */
function pathsOf(directory: string): ClusterPaths {
  const file = (name: string): string => join(directory, name);
  const names = { store: 'store', pki: 'pki', kubeconfig: 'kubeconfig', node: 'node', log: 'orrery.log', instance: 'instance.json' };
  return { data: directory, ...(Object.fromEntries(Object.entries(names).map(([key, name]) => [key, file(name)])) as typeof names) };
}

/** The kubelet needs the network, and the network the ranges that only a Node gets: so it is made first, and takes no pods yet. */
async function makeNode(client: Client, name: string): Promise<void> {
  const node: NewObject<Node> = {
    metadata: { name, labels: { 'kubernetes.io/hostname': name } },
    spec: { taints: [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }] },
  };
  try {
    await client.create(nodes, node);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}

/** By the range of Services that the cluster publishes. */
async function rangesOfCluster(client: Client): Promise<AddressRanges> {
  const { spec } = await client.get(serviceCidrs, { name: 'kubernetes' });
  const [services = ''] = spec?.cidrs ?? [];
  const ranges = knownRanges(services);
  if (ranges === undefined) throw new CliError(`the cluster's range of Services, ${services}, is none that Orrery gives`);
  return ranges;
}

/** The address of this machine from which packets to the server go out. Nothing is sent. */
async function addressTowards(server: string): Promise<string> {
  const { hostname, port } = new URL(server);
  const host = hostname.replace(/^\[|\]$/g, '');
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  try {
    socket.connect(Number(port || 443), host);
    await once(socket, 'connect');
    return socket.address().address;
  } catch (cause) {
    throw new CliError(`there is no way to ${server} from this machine: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  } finally {
    socket.close();
  }
}
