import { setMaxListeners } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { nodes, pods as podResource, services as serviceResource } from '@orrery/api';
import type { NodeAddress, Pod } from '@orrery/api/core/v1';
import { aborted, type Clock, type Random } from '@orrery/base';
import { type Client, newInformerFactory } from '@orrery/client';
import type { Logger } from '@orrery/component';
import type { Runtime } from '@orrery/cri';
import { defaultKubeletConfig, type KubeletConfig } from './config.ts';
import { newReferenceCache } from './env/reference-cache.ts';
import { withApiServer } from './env/services.ts';
import { rotateLogs } from './logs/rotation.ts';
import { type Machine, readMachine } from './node/machine.ts';
import { type NodeAgent, newNodeAgent } from './node/node-agent.ts';
import { newProbeSet } from './probe/probe-set.ts';
import { newProber } from './probe/prober.ts';
import { newRestartBackoff } from './runtime/backoff.ts';
import { pullCredentials } from './runtime/credentials.ts';
import { messageOf } from './runtime/errors.ts';
import type { EventSink } from './runtime/events.ts';
import { newPodExecutor } from './runtime/executor.ts';
import { newImagePuller } from './runtime/images.ts';
import { newKiller } from './runtime/kill.ts';
import { newHookRunner } from './runtime/lifecycle-hooks.ts';
import { newLimiter } from './runtime/limiter.ts';
import { newContainerStarter } from './runtime/start.ts';
import { newStateReader } from './runtime/state-reader.ts';
import { newKubeletServer, type ServerOptions } from './server/kubelet-server.ts';
import { newStatusWriter } from './status/status-writer.ts';
import { newDirectories } from './volumes/directories.ts';
import { newTokenSource } from './volumes/tokens.ts';
import { newVolumeMounter } from './volumes/volume-mounter.ts';
import { newPodCleaner } from './worker/pod-cleaner.ts';
import { newPodSyncer } from './worker/pod-syncer.ts';
import { newPodWorkers, type PodWorkers } from './worker/pod-workers.ts';
import { newRelister, type Relister } from './worker/relister.ts';

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

const RELIST_STALE_MS = 180_000; // Source: pleg relistThreshold.

interface Parts {
  readonly agent: NodeAgent;
  readonly workers: PodWorkers;
  readonly relister: Relister;
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

/** Everything of one run, wired. */
async function runKubelet(options: KubeletOptions, signal: AbortSignal, onPort: (port: number) => void): Promise<void> {
  const { client, runtime, clock, random, log, events, nodeName, rootDirectory, addresses } = options;
  const config = { ...defaultKubeletConfig, ...options.config };
  const logsDirectory = options.podLogsDirectory ?? join(rootDirectory, 'pod-logs');
  const directories = newDirectories(rootDirectory, logsDirectory);
  await mkdir(directories.pods, { recursive: true, mode: 0o750 });
  await mkdir(logsDirectory, { recursive: true, mode: 0o755 });
  const machine = await readMachine(rootDirectory);
  const { runtimeName = '' } = await runtime.version({});

  const informers = newInformerFactory(client, { clock, random, log });
  const podInformer = informers.informer(podResource, { fieldSelector: `spec.nodeName=${nodeName}` });
  const serviceInformer = informers.informer(serviceResource);
  const nodeInformer = informers.informer(nodes, { fieldSelector: `metadata.name=${nodeName}` });

  const reader = newStateReader(runtime);
  const statuses = newStatusWriter({ client, clock, log });
  const references = newReferenceCache({ client, clock, random, onChange: (uid) => parts.workers.wake(uid) });
  const tokens = newTokenSource(client, clock);
  const probes = newProbeSet({ clock, random, events, prober: newProber(runtime, clock), onChange: (uid) => parts.workers.wake(uid) });
  const cleaner = newPodCleaner({ runtime, reader, directories, log });
  const agent = newAgent(
    options,
    config,
    machine,
    () => problemsOf(parts.relister, clock),
    () => port,
  );
  let port = 0;

  const hooks = newHookRunner(runtime, clock);
  const killer = newKiller({ runtime, clock, events, hooks, log });
  const limiter = newLimiter(config.startsMax);
  const images = newImagePuller({ runtime, clock, events, backoff: newRestartBackoff(clock, config.imagePullBackoff) });
  const starter = newContainerStarter({
    runtime,
    clock,
    random,
    events,
    images,
    hooks,
    killer,
    directories,
    memoryBytes: machine.memoryBytes,
    limiter,
  });
  const backoff = newRestartBackoff(clock, config.crashLoopBackoff);
  const executor = newPodExecutor({
    runtime,
    events,
    log,
    killer,
    starter,
    images,
    backoff,
    directories,
    verdicts: probes,
    dns: config.clusterDns,
    resolvConf: config.resolvConf,
    limiter,
  });
  const hostIps = addresses.filter(({ type }) => type === 'InternalIP').map(({ address }) => address);
  const syncer = newPodSyncer({
    clock,
    log,
    events,
    reader,
    executor,
    killer,
    statuses,
    probes,
    volumes: newVolumeMounter(directories, { clock, random }),
    references: references.fresh,
    volumeReferences: references.watched,
    tokens,
    services() {
      const services = serviceInformer.lister.list();
      return config.apiServerAddress === undefined ? services : withApiServer(services, config.apiServerAddress);
    },
    credentials: (pod) => pullCredentials(pod, references.fresh, log),
    node: { nodeName, hostIps, allocatable: () => agent.allocatable(), networkProblem: () => agent.networkProblem() },
    runtimeName,
    pendingDelayMs: config.pendingStatusDelayMs,
  });
  const workers = newPodWorkers({
    client,
    clock,
    random,
    log,
    events,
    syncer,
    cleaner,
    statuses,
    node: () => agent.node,
    onGone(uid) {
      probes.remove(uid);
      references.unregister(uid);
      tokens.forget(uid);
      statuses.forget(uid);
    },
  });
  const relister = newRelister({
    runtime,
    clock,
    log,
    onChange: (uid) => workers.wake(uid),
    periodMs: config.relistMs,
    periodWithEventsMs: config.relistWithEventsMs,
  });
  const parts: Parts = { agent, workers, relister };

  const server =
    options.server === undefined
      ? undefined
      : newKubeletServer({ ...options.server, runtime, clock, log, workers, statuses, agent, machine });
  if (server !== undefined) {
    port = await server.listen();
    onPort(port);
  }
  const running: Promise<unknown>[] = [informers.run(signal)];
  try {
    await agent.register(signal);
    running.push(agent.run(signal));
    nodeInformer.addHandler({ onAdd: (node) => agent.observe(node), onUpdate: (_, node) => agent.observe(node) });
    await informers.waitForSync(signal);
    const known = await relister.relist();
    workers.adopt(new Set(known.map(({ uid }) => uid)));
    const admitPod = (pod: Pod): void => {
      references.register(pod);
      workers.add(pod);
    };
    const byAge = [...podInformer.lister.list()].sort((a, b) => (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? -1 : 1));
    for (const pod of byAge) admitPod(pod);
    podInformer.addHandler({ onAdd: admitPod, onUpdate: (_, pod) => workers.update(pod), onDelete: (pod) => workers.remove(pod) });
    for (const pod of known) workers.addOrphan(pod);
    const { logSizeBytesMax: sizeBytesMax, logFilesMax: filesMax } = config;
    const rotate = () => rotateLogs({ runtime, clock, log, directories, sizeBytesMax, filesMax });
    const tidy = () => tidyUp({ relister, reader, workers, cleaner, prunables: [backoff, images] });
    running.push(relister.run(signal));
    running.push(every(config.cleanupMs, tidy, { clock, log }, signal), every(config.logRotationMs, rotate, { clock, log }, signal));
    await aborted(signal);
  } catch (err) {
    if (!signal.aborted) throw err;
  } finally {
    statuses.close();
    references.close();
    await server?.close();
    await workers.stop();
    for (const uid of workers.uids()) probes.remove(uid);
    if (signal.aborted) await Promise.all(running);
  }
}

/** What keeps the node from being ready, beside what the runtime tells itself. */
function problemsOf(relister: Relister | undefined, clock: Clock): readonly string[] {
  if (relister === undefined || relister.lastMs === 0) return [];
  const elapsedMs = clock.monotonicMs() - relister.lastMs;
  if (elapsedMs < RELIST_STALE_MS) return [];
  return [`PLEG is not healthy: pleg was last seen active ${Math.floor(elapsedMs / 1000)}s ago; threshold is 3m0s`];
}

function newAgent(options: KubeletOptions, config: KubeletConfig, machine: Machine, problems: () => readonly string[], port: () => number) {
  const { client, clock, random, log, events, runtime, nodeName, rootDirectory, addresses } = options;
  const agentOptions = { client, clock, random, log, events, runtime, nodeName, rootDirectory, addresses, machine, problems };
  return newNodeAgent({ ...config, ...agentOptions, hostName: options.hostName ?? nodeName, port });
}

interface TidyDeps {
  readonly relister: Relister;
  readonly reader: { retain(ids: ReadonlySet<string>): void };
  readonly workers: PodWorkers;
  readonly cleaner: { sweep(isKnown: (uid: string) => boolean): Promise<void> };
  readonly prunables: readonly { prune(): void }[];
}

/** Forgets and removes what nobody owns. */
async function tidyUp({ relister, reader, workers, cleaner, prunables }: TidyDeps): Promise<void> {
  for (const prunable of prunables) prunable.prune();
  for (const pod of await relister.relist()) workers.addOrphan(pod);
  reader.retain(relister.containerIds);
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
