import type { Container, Pod, PodStatus, Probe } from '@orrery/api/core/v1';
import type { Clock, Random } from '@orrery/base';
import { allContainers, isSidecar } from '../pod/container-spec.ts';
import type { ProbeVerdict, ProbeVerdicts } from '../runtime/actions.ts';
import type { EventSink } from '../runtime/events.ts';
import type { Readiness } from '../status/generate.ts';
import { newProbeCounts } from './probe-counts.ts';
import { newProbeWorker, type ProbedContainer, type ProbeType, type ProbeWorker } from './probe-worker.ts';
import type { Prober } from './prober.ts';

/** All probes of this node. */
export interface ProbeSet extends ProbeVerdicts {
  /** Starts the workers that the pod's spec asks for and that do not run yet. */
  add(pod: Pod): void;
  /** The pod's status has changed: workers of containers that are new look at once. */
  observe(pod: Pod, status: PodStatus): void;
  /** Ends liveness and startup probes of a pod that is being stopped; readiness goes on. */
  stopRestarting(uid: string): void;
  remove(uid: string): void;
  /** What the probes have found, in Prometheus' text format. */
  metrics(): string;
  readiness(uid: string, container: string, containerId: string): Readiness;
}

interface ProbedPod {
  pod: Pod;
  status: PodStatus | undefined;
  /** By `type/container`. */
  readonly workers: Map<string, ProbeWorker>;
  /** Container ids whose results are kept. */
  readonly ids: Set<string>;
}

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventSink;
  readonly prober: Prober;
  /** A verdict changed: the pod is to be looked at. */
  readonly onChange: (uid: string) => void;
}

const types: readonly ProbeType[] = ['liveness', 'readiness', 'startup'];
const probeOf = (container: Container, type: ProbeType): Probe | undefined =>
  type === 'liveness' ? container.livenessProbe : type === 'readiness' ? container.readinessProbe : container.startupProbe;

/** What a pod's status says of one container. */
function lookAt(status: PodStatus | undefined, name: string): ProbedContainer | undefined {
  const found = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])].find((entry) => entry.name === name);
  if (found === undefined) return undefined;
  const { running, terminated } = found.state ?? {};
  return {
    containerId: found.containerID?.split('://')[1] ?? '',
    startedAtMs: Date.parse(running?.startedAt ?? '') || 0,
    running: running !== undefined,
    started: found.started === true,
    ready: found.ready,
    podIp: status?.podIP ?? '',
    exitCode: terminated?.exitCode,
  };
}

export function newProbeSet(deps: Deps): ProbeSet {
  const pods = new Map<string, ProbedPod>();
  const counts = newProbeCounts();
  const verdicts = new Map<string, ProbeVerdict>(); // By `type/container id`.

  function startWorker(
    entry: ProbedPod,
    uid: string,
    spec: { container: Container; kind: 'container' | 'init' | 'ephemeral' },
    type: ProbeType,
  ) {
    const { container, kind } = spec;
    const probe = probeOf(container, type);
    const key = `${type}/${container.name}`;
    if (probe === undefined || entry.workers.has(key)) return;
    const worker = newProbeWorker(
      {
        type,
        probe,
        pod: () => entry.pod,
        container,
        kind,
        look: () => lookAt(entry.status, container.name),
        onAnswer: ({ result }) => counts.add(type, entry.pod, container.name, result),
        onResult(containerId, verdict) {
          const before = verdicts.get(`${type}/${containerId}`);
          verdicts.set(`${type}/${containerId}`, verdict);
          entry.ids.add(containerId);
          if (before !== undefined && before !== verdict) deps.onChange(uid);
        },
      },
      deps,
    );
    entry.workers.set(key, worker);
  }

  function stopWorkers(entry: ProbedPod, which: (key: string) => boolean): void {
    for (const [key, worker] of entry.workers) if (which(key)) worker.stop();
  }

  return {
    liveness: (containerId) => verdicts.get(`liveness/${containerId}`),
    startup: (containerId) => verdicts.get(`startup/${containerId}`),

    add(pod) {
      const { uid } = pod.metadata;
      const entry = pods.get(uid) ?? { pod, status: pod.status, workers: new Map(), ids: new Set() };
      entry.pod = pod;
      pods.set(uid, entry);
      for (const spec of allContainers(pod.spec)) {
        if (spec.kind === 'ephemeral' || (spec.kind === 'init' && !isSidecar(spec.container))) continue;
        for (const type of types) startWorker(entry, uid, spec, type);
      }
    },

    observe(pod, status) {
      const entry = pods.get(pod.metadata.uid);
      if (entry === undefined) return;
      const before = entry.status;
      entry.pod = pod;
      entry.status = status;
      for (const [key, worker] of entry.workers) {
        const name = key.slice(key.indexOf('/') + 1);
        const [was, is] = [lookAt(before, name), lookAt(status, name)];
        if (is !== undefined && (was?.containerId !== is.containerId || was.started !== is.started || was.running !== is.running))
          worker.poke();
      }
    },

    stopRestarting(uid) {
      const entry = pods.get(uid);
      if (entry !== undefined) stopWorkers(entry, (key) => !key.startsWith('readiness/'));
    },

    remove(uid) {
      const entry = pods.get(uid);
      if (entry === undefined) return;
      stopWorkers(entry, () => true);
      for (const id of entry.ids) for (const type of types) verdicts.delete(`${type}/${id}`);
      pods.delete(uid);
      counts.forget(uid);
    },

    metrics: () => counts.text(),

    readiness(uid, container, containerId) {
      const entry = pods.get(uid);
      const startup = verdicts.get(`startup/${containerId}`);
      const started = startup === undefined ? entry?.workers.has(`startup/${container}`) !== true : startup === 'success';
      const verdict = verdicts.get(`readiness/${containerId}`);
      const ready = verdict === undefined ? entry?.workers.has(`readiness/${container}`) !== true : verdict === 'success';
      return { started, ready };
    },
  };
}
