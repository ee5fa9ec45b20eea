import { setMaxListeners } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { nodes, pods as podResource, services as serviceResource } from '@orrery/api';
import type { Node, NodeAddress, Pod } from '@orrery/api/core/v1';
import { aborted, type Clock, type Random } from '@orrery/base';
import { type Client, type Informer, newInformerFactory } from '@orrery/client';
import type { Logger } from '@orrery/component';
import type { Runtime } from '@orrery/cri';
import { newAllocations } from './allocation/allocations.ts';
import { type Assembly, newAssembly } from './assembly.ts';
import { openCgroups } from './cgroups/open-cgroups.ts';
import { defaultKubeletConfig, type KubeletConfig } from './config.ts';
import { rotateLogs } from './logs/rotation.ts';
import { readMachine } from './node/machine.ts';
import { newUserNamespaces } from './pod/user-namespaces.ts';
import { messageOf } from './runtime/errors.ts';
import type { EventSink } from './runtime/events.ts';
import { newKubeletServer, type ServerOptions } from './server/kubelet-server.ts';
import { newDirectories } from './volumes/directories.ts';
import { openMounts } from './volumes/mounts.ts';

export interface KubeletOptions {
  readonly client: Client;
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Where the kubelet tells people what happens to pods and the node. */
  readonly events: EventSink;
  readonly nodeName: string;
  /** @default the node's name */
  readonly hostName?: string;
  readonly addresses: readonly NodeAddress[];
  /** Pods' volumes and termination messages; made when it is not there. */
  readonly rootDirectory: string;
  /** Containers' logs. @default `<rootDirectory>/pod-logs` */
  readonly podLogsDirectory?: string;
  /** Logs, exec, attach and port-forward for the API server. Absent: none of these. */
  readonly server?: ServerOptions;
  readonly config?: Partial<KubeletConfig>;
}

/** The node agent. */
export interface Kubelet {
  /**
   * Registers the node and runs its pods until `signal` aborts; pods go on without it. Rejects when it cannot begin: the runtime does
   * not answer, a directory cannot be made, the port is taken.
   */
  run(signal: AbortSignal): Promise<void>;
  /** The port that the server listens on; 0 before it does, and without one. */
  readonly port: number;
}

export function newKubelet(options: KubeletOptions): Kubelet {
  let port = 0;
  return {
    get port() {
      return port;
    },
    async run(signal) {
      const stop = new AbortController();
      setMaxListeners(0, stop.signal); // Every loop of the kubelet listens.
      const onAbort = (): void => stop.abort(signal.reason);
      if (signal.aborted) onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        await runKubelet(options, stop.signal, (listening) => {
          port = listening;
        });
      } finally {
        signal.removeEventListener('abort', onAbort);
        stop.abort();
        port = 0;
      }
    },
  };
}

/** Everything of one run. */
async function runKubelet(options: KubeletOptions, signal: AbortSignal, onPort: (port: number) => void): Promise<void> {
  const { client, runtime, clock, random, log, nodeName, rootDirectory } = options;
  const config = { ...defaultKubeletConfig, ...options.config };
  const podLogsDirectory = options.podLogsDirectory ?? join(rootDirectory, 'pod-logs');
  await mkdir(join(rootDirectory, 'pods'), { recursive: true, mode: 0o750 });
  await mkdir(podLogsDirectory, { recursive: true, mode: 0o755 });
  const machine = await readMachine(rootDirectory);
  const directories = newDirectories(rootDirectory, podLogsDirectory);
  const mounts = await openMounts(rootDirectory, (reason) =>
    log.info('volumes in memory lie on disk: mounting is not allowed', { reason }),
  );
  const userNamespaces = newUserNamespaces(directories, { firstId: config.userNamespaceFirstId, podsMax: config.podsMax });
  const allocations = newAllocations(directories, options.events, log);
  await Promise.all([userNamespaces.load(), allocations.load()]);
  const { runtimeName = '' } = await runtime.version({});
  const cgroups = await openCgroups({ config, machine, clock, log, nodeName, events: options.events });
  const informers = newInformerFactory(client, { clock, random, log });
  const sources: Sources = {
    pods: informers.informer(podResource, { fieldSelector: `spec.nodeName=${nodeName}` }),
    node: informers.informer(nodes, { fieldSelector: `metadata.name=${nodeName}` }),
  };
  const services = informers.informer(serviceResource).lister;
  let port = 0;
  const hostName = options.hostName ?? nodeName;
  const parts = newAssembly({
    ...options,
    hostName,
    podLogsDirectory,
    config,
    machine,
    runtimeName,
    cgroups,
    directories,
    mounts,
    userNamespaces,
    allocations,
    services,
    port: () => port,
  });
  const { workers, statuses, agent, probes } = parts;
  const server =
    options.server === undefined
      ? undefined
      : newKubeletServer({
          ...options.server,
          client,
          nodeName,
          config,
          probes,
          runtime,
          clock,
          log,
          workers,
          statuses,
          agent,
          machine,
          rootDirectory: options.rootDirectory,
        });
  if (server !== undefined) {
    port = await server.listen();
    onPort(port);
  }
  const running: Promise<unknown>[] = [informers.run(signal)];
  try {
    await parts.eviction.evictor.round().catch((err: unknown) => log.warn('looking at the node failed', { error: messageOf(err) }));
    await agent.register(signal);
    running.push(agent.run(signal));
    await informers.waitForSync(signal);
    await takeUp(sources, parts);
    running.push(parts.relister.run(signal), ...chores(options, config, parts, signal));
    await aborted(signal);
  } catch (err) {
    if (!signal.aborted) throw err;
  } finally {
    statuses.close();
    parts.references.close();
    await server?.close();
    await workers.stop();
    for (const uid of workers.uids()) parts.probes.remove(uid);
    if (signal.aborted) await Promise.all(running);
  }
}

interface Sources {
  readonly pods: Informer<Pod>;
  readonly node: Informer<Node>;
}

/** Gives every pod its worker: those of the API, the oldest first, and those that only the runtime knows. */
async function takeUp({ pods, node }: Sources, { agent, workers, relister, references }: Assembly): Promise<void> {
  node.addHandler({ onAdd: (object) => agent.observe(object), onUpdate: (_, object) => agent.observe(object) });
  const known = await relister.relist();
  workers.adopt(new Set(known.map(({ uid }) => uid)));
  const add = (pod: Pod): void => {
    references.register(pod);
    workers.add(pod);
  };
  const byAge = [...pods.lister.list()].sort((a, b) => (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? -1 : 1));
  for (const pod of byAge) add(pod);
  pods.addHandler({ onAdd: add, onUpdate: (_, pod) => workers.update(pod), onDelete: (pod) => workers.remove(pod) });
  for (const pod of known) workers.addOrphan(pod);
}

/** What is done now and again. */
function chores(
  { runtime, clock, log }: KubeletOptions,
  config: KubeletConfig,
  parts: Assembly,
  signal: AbortSignal,
): readonly Promise<void>[] {
  const { logSizeBytesMax: sizeBytesMax, logFilesMax: filesMax } = config;
  const rotate = () => rotateLogs({ runtime, clock, log, directories: parts.directories, sizeBytesMax, filesMax });
  return [
    every(config.cleanupMs, () => tidyUp(parts), { clock, log }, signal),
    every(config.evictionMonitorMs, () => parts.eviction.evictor.round(), { clock, log }, signal),
    every(config.imageGcPeriodMs, () => parts.eviction.collectImages(), { clock, log }, signal),
    every(config.logRotationMs, rotate, { clock, log }, signal),
  ];
}

/** Forgets and removes what nobody owns. */
async function tidyUp({ relister, reader, workers, cleaner, prunables }: Assembly): Promise<void> {
  for (const prunable of prunables) prunable.prune();
  for (const pod of await relister.relist()) workers.addOrphan(pod);
  reader.retain(relister.containerIds);
  workers.retryResizes();
  await cleaner.sweep((uid) => workers.has(uid));
}

/** Runs `chore` now and again until `signal` aborts. */
async function every(
  periodMs: number,
  chore: () => Promise<void>,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await chore().catch((err: unknown) => log.warn('a chore of the node failed', { error: messageOf(err) }));
    await clock.sleep(periodMs, signal).catch(() => {});
  }
}
