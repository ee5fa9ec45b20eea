import type { NodeAddress, Service } from '@orrery/api/core/v1';
import type { Clock, Random } from '@orrery/base';
import type { Client, Lister } from '@orrery/client';
import type { Logger } from '@orrery/component';
import type { Runtime } from '@orrery/cri';
import type { Allocations } from './allocation/allocations.ts';
import type { OpenCgroups } from './cgroups/open-cgroups.ts';
import type { KubeletConfig } from './config.ts';
import { newReferenceCache, type ReferenceCache } from './env/reference-cache.ts';
import { withApiServer } from './env/services.ts';
import { type EvictionParts, newEvictionParts } from './eviction/eviction-parts.ts';
import type { Machine } from './node/machine.ts';
import { type NodeAgent, newNodeAgent } from './node/node-agent.ts';
import { sysctlRejection } from './pod/sysctls.ts';
import type { UserNamespaces } from './pod/user-namespaces.ts';
import { newProbeSet, type ProbeSet } from './probe/probe-set.ts';
import { newProber } from './probe/prober.ts';
import { newRestartBackoff } from './runtime/backoff.ts';
import { pullCredentials } from './runtime/credentials.ts';
import type { EventSink } from './runtime/events.ts';
import { newPodExecutor } from './runtime/executor.ts';
import { newImagePuller } from './runtime/images.ts';
import { newKiller } from './runtime/kill.ts';
import { newHookRunner } from './runtime/lifecycle-hooks.ts';
import { newLimiter } from './runtime/limiter.ts';
import { newResizer } from './runtime/resizer.ts';
import { newRuntimeHandlers } from './runtime/runtime-handlers.ts';
import { newContainerStarter } from './runtime/start.ts';
import { newStateReader, type StateReader } from './runtime/state-reader.ts';
import { newStatusWriter, type StatusWriter } from './status/status-writer.ts';
import type { Directories } from './volumes/directories.ts';
import type { Mounts } from './volumes/mounts.ts';
import { newClaims } from './volumes/persistent.ts';
import { newTokenSource } from './volumes/tokens.ts';
import { newVolumeMounter } from './volumes/volume-mounter.ts';
import { newPodCleaner, type PodCleaner } from './worker/pod-cleaner.ts';
import { newPodSyncer } from './worker/pod-syncer.ts';
import { newPodWorkers, type PodWorkers, type PodWorkersDeps } from './worker/pod-workers.ts';
import { newRelister, type Relister } from './worker/relister.ts';

export interface AssemblyInput {
  readonly client: Client;
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly events: EventSink;
  readonly nodeName: string;
  readonly hostName: string;
  readonly addresses: readonly NodeAddress[];
  readonly rootDirectory: string;
  readonly podLogsDirectory: string;
  readonly config: KubeletConfig;
  readonly machine: Machine;
  readonly runtimeName: string;
  readonly cgroups: OpenCgroups | undefined;
  readonly directories: Directories;
  readonly mounts: Mounts;
  readonly userNamespaces: UserNamespaces;
  readonly allocations: Allocations;
  readonly services: Lister<Service>;
  /** Of the kubelet's server; 0: none. */
  readonly port: () => number;
}

/** The parts of one run of a kubelet, joined. None of them runs yet. */
export interface Assembly {
  readonly directories: Directories;
  readonly agent: NodeAgent;
  readonly workers: PodWorkers;
  readonly relister: Relister;
  readonly reader: StateReader;
  readonly statuses: StatusWriter;
  readonly references: ReferenceCache;
  readonly probes: ProbeSet;
  readonly cleaner: PodCleaner;
  readonly eviction: EvictionParts;
  /** What grows with failures and forgets them when it is asked to. */
  readonly prunables: readonly { prune(): void }[];
}

const RELIST_STALE_MS = 180_000; // Source: pleg relistThreshold.

/** What keeps the node from being ready, beside what the runtime tells itself. */
function problemsOf(relister: Relister, clock: Clock): readonly string[] {
  if (relister.lastMs === 0) return [];
  const elapsedMs = clock.monotonicMs() - relister.lastMs;
  if (elapsedMs < RELIST_STALE_MS) return [];
  return [`PLEG is not healthy: pleg was last seen active ${Math.floor(elapsedMs / 1000)}s ago; threshold is 3m0s`];
}

/** What runs pods: from one pod's decision down to the runtime. */
function newExecution(input: AssemblyInput, directories: Directories, probes: ProbeSet) {
  const { runtime, clock, random, log, events, config, machine } = input;
  const { clusterDns: dns, resolvConf } = config;
  const hooks = newHookRunner(runtime, clock);
  const killer = newKiller({ runtime, clock, events, hooks, log });
  const limiter = newLimiter(config.startsMax);
  const images = newImagePuller({ runtime, clock, events, backoff: newRestartBackoff(clock, config.imagePullBackoff) });
  const cgroups = input.cgroups?.pods;
  const facts = { memoryBytes: machine.memoryBytes, cgroupVersion: input.cgroups?.version };
  const { mounts } = input;
  const starter = newContainerStarter({ runtime, clock, random, events, images, hooks, killer, directories, mounts, facts, limiter });
  const backoff = newRestartBackoff(clock, config.crashLoopBackoff);
  const shared = { runtime, events, log, killer, starter, images, backoff, directories, limiter, cgroups };
  const { allocations } = input;
  const resizer = newResizer({ runtime, allocations, cgroups, facts });
  const handlers = newRuntimeHandlers(input.client, runtime);
  const executor = newPodExecutor({
    ...shared,
    verdicts: probes,
    dns,
    resolvConf,
    userNamespaces: input.userNamespaces,
    handlers,
    allocations,
    resizer,
  });
  return { executor, killer, images, backoff };
}

export function newAssembly(input: AssemblyInput): Assembly {
  const { client, runtime, clock, random, log, events, config, addresses, nodeName, directories, userNamespaces, allocations } = input;
  const wake = (uid: string): void => workers.wake(uid);
  const relister = newRelister({
    runtime,
    clock,
    log,
    onChange: wake,
    periodMs: config.relistMs,
    periodWithEventsMs: config.relistWithEventsMs,
  });
  const pressures = () => eviction.evictor.pressures();
  const agent = newNodeAgent({ ...config, ...input, pressures, problems: () => problemsOf(relister, clock) });
  const reader = newStateReader(runtime);
  const statuses = newStatusWriter({ client, clock, log });
  const references = newReferenceCache({ client, clock, random, onChange: wake });
  const tokens = newTokenSource(client, clock);
  const probes = newProbeSet({ clock, random, events, prober: newProber(runtime, clock), onChange: wake });
  const claims = newClaims(client);
  const volumes = newVolumeMounter({ directories, mounts: input.mounts, clock, random, claims, node: () => agent.node });
  const cleaner = newPodCleaner({ runtime, reader, directories, volumes, log, cgroups: input.cgroups?.pods });
  const { executor, killer, images, backoff } = newExecution(input, directories, probes);
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
    volumes,
    references: references.fresh,
    volumeReferences: references.watched,
    tokens,
    services() {
      const services = input.services.list();
      return config.apiServerAddress === undefined ? services : withApiServer(services, config.apiServerAddress);
    },
    credentials: (pod) => pullCredentials(pod, references.fresh, log),
    node: { nodeName, hostIps, allocatable: () => agent.allocatable(), networkProblem: () => agent.networkProblem() },
    runtimeName: input.runtimeName,
    pendingDelayMs: config.pendingStatusDelayMs,
    allocations,
  });
  const onGone = (uid: string): void => {
    probes.remove(uid);
    references.unregister(uid);
    tokens.forget(uid);
    statuses.forget(uid);
    userNamespaces.release(uid);
    allocations.forget(uid);
  };
  const common = { client, clock, random, log, events };
  const eviction = newEvictionParts({
    ...input,
    cgroups: input.cgroups?.pods,
    workers: () => workers,
    cleaner,
    onPressureChange: () => agent.wake(),
  });
  const gates: PodWorkersDeps['gates'] = [eviction.evictor.admit, (pod) => sysctlRejection(pod, config.allowedUnsafeSysctls)];
  const workers = newPodWorkers({ ...common, syncer, cleaner, statuses, node: () => agent.node, onGone, gates, allocations });
  return { directories, agent, workers, relister, reader, statuses, references, probes, cleaner, eviction, prunables: [backoff, images] };
}
