import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import { nodes, serviceCidrs } from '@orrery/api';
import type { Node } from '@orrery/api/core/v1';
import { isAlreadyExists, type NewObject } from '@orrery/apimachinery';
import { type Client, newClient, newInformerFactory } from '@orrery/client';
import { type Logger, newLogger } from '@orrery/component';
import { runAll } from '@orrery/controller';
import type { NodeCredentials } from '@orrery/kubelet';
import { waitForPodCidr } from '@orrery/pod-network';
import { type CliContext, CliError } from '../cli/command.ts';
import type { RunNode } from '../cmd/node.ts';
import { orreryVersion } from '../version.ts';
import { type AddressRanges, knownRanges } from './address-ranges.ts';
import { claimInstance, removeInstance, runningText } from './instance.ts';
import { joinCluster, tellingWhy } from './join.ts';
import { nodeParts, overlayIdOf } from './node.ts';
import { type NodeHost, openNodeHost } from './node-host.ts';
import type { NodePlace } from './node-place.ts';
import { makePrivateFolder } from './private-folder.ts';
import { newProgress } from './progress.ts';
import { STOP_KEEPING_PODS } from './stop.ts';

type Options = Parameters<RunNode>[0];

/** Joins a cluster that runs elsewhere and runs this machine's part of it until `signal` aborts. */
export const runNode: RunNode = async (options, context, signal) => {
  const { home, server, nodeName } = options;
  const { paths } = home;
  await makePrivateFolder(paths.data);
  const { clock, err } = context;
  const startedAt = new Date(clock.now()).toISOString();
  const instance = { pid: process.pid, url: server, version: orreryVersion, startedAt, node: nodeName, runtime: '', notes: [] };
  const running = await claimInstance(paths.instance, instance); // At once: a second start may come while this one waits for its certificate.
  if (running !== undefined) {
    if (running.phase === 'ending') throw new CliError(`${home.label} ${runningText(running)}; try again when that is done`);
    throw new CliError(`${home.label} is already running (pid ${running.pid}); stop it with "orrery down${home.flags}"`);
  }
  try {
    const address = options.address ?? (await addressTowards(server));
    const credentials = await joinCluster({ ...options, directory: paths.pki, addresses: [address] }, context, signal);
    try {
      const log = newLogger({ write: (line) => err.write(line), clock, level: 'warn' });
      await serveUntil({ ...options, address }, context, credentials, log, signal);
    } finally {
      await credentials.transport.close();
    }
  } finally {
    await removeInstance(paths.instance, process.pid);
  }
};

async function serveUntil(
  options: Options & { readonly address: string },
  context: CliContext,
  credentials: NodeCredentials,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const { nodeName, address, server } = options;
  const { paths } = options.home;
  const client = newClient(credentials.transport);
  const place = await tellingWhy(`cannot join ${server}`, () => placeOf(client, nodeName, context, signal));
  const host = await openNodeHost({ ...options, machineAddress: address, place }, paths, context, log);
  try {
    const parts = partsOf(nodeName, paths.node, host, client, credentials, context, log);
    sayReady(server, nodeName, host, context);
    await runAll(parts, signal);
  } finally {
    const keepPods = signal.reason instanceof Error && signal.reason.message === STOP_KEEPING_PODS;
    await (keepPods ? host.close() : host.end());
  }
}

function partsOf(
  name: string,
  directory: string,
  { runtime, services, cgroupRoot, instanceId, ranges, address }: NodeHost,
  client: Client,
  { transport, ca, serving, run }: NodeCredentials,
  { clock, random }: CliContext,
  log: Logger,
) {
  const informers = newInformerFactory(client, { clock, random, log });
  const network = services === undefined ? {} : { network: { instanceId, services, ranges, overlayId: overlayIdOf(ca) } };
  const server = { ...serving, clientCa: ca };
  const cgroups = cgroupRoot === undefined ? {} : { cgroupRoot };
  const parts = nodeParts(
    { name, runtime, directory, address, server, ...cgroups, ...network },
    { clock, random, log, informers, transportFor: () => transport },
  );
  // A renewed serving certificate is used from the next start on.
  return [informers, ...parts, { run: (stop: AbortSignal) => run(stop, () => undefined) }];
}

function sayReady(server: string, nodeName: string, { name, notes }: NodeHost, { err }: CliContext): void {
  err.write(`Node ${nodeName} of ${server} (${name} driver)\n`);
  const progress = newProgress(err);
  for (const note of notes) progress.note(note);
  err.write('Press Ctrl+C to stop it: its pods end, and run elsewhere when the cluster notices.\n');
}

/** The kubelet needs the network, and the network the ranges that only a Node gets: so that is made first, and takes no pods yet. */
async function placeOf(client: Client, name: string, { clock }: CliContext, signal: AbortSignal): Promise<NodePlace> {
  await makeNode(client, name);
  const [ranges, [podCidr = '']] = await Promise.all([rangesOfCluster(client), waitForPodCidr(client, name, { clock, signal })]);
  return { ranges, podCidr };
}

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
