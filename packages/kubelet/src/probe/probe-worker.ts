import type { Container, Pod, Probe } from '@orrery/api/core/v1';
import type { Clock, Random, Timer } from '@orrery/base';
import { shouldRestart } from '../pod/container-spec.ts';
import type { ProbeVerdict } from '../runtime/actions.ts';
import { containerReference, type EventSink, reasons } from '../runtime/events.ts';
import type { ProbeAnswer, Prober } from './prober.ts';

export type ProbeType = 'liveness' | 'readiness' | 'startup';

/** A container as its pod's status shows it now. */
export interface ProbedContainer {
  readonly containerId: string;
  readonly startedAtMs: number;
  readonly running: boolean;
  /** Its startup probe has succeeded, or it has none. */
  readonly started: boolean;
  readonly ready: boolean;
  readonly podIp: string;
  readonly exitCode: number | undefined;
}

export interface WorkerInput {
  readonly type: ProbeType;
  readonly probe: Probe;
  /** The pod as it is now. */
  readonly pod: () => Pod;
  readonly container: Container;
  readonly kind: 'container' | 'init' | 'ephemeral';
  readonly look: () => ProbedContainer | undefined;
  readonly onResult: (containerId: string, verdict: ProbeVerdict) => void;
  /** Told of every probe that was made. */
  readonly onAnswer: (answer: ProbeAnswer) => void;
}

/** Probes one container again and again until it is stopped. */
export interface ProbeWorker {
  /** Looks at once instead of at the next turn: the container has just started. */
  poke(): void;
  stop(): void;
}

interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventSink;
  readonly prober: Prober;
}

const ATTEMPTS_MAX = 3;
const initial: Readonly<Record<ProbeType, ProbeVerdict>> = { liveness: 'success', readiness: 'failure', startup: 'unknown' };
const titles: Readonly<Record<ProbeType, string>> = { liveness: 'Liveness', readiness: 'Readiness', startup: 'Startup' };

/** Source: kubelet prober worker. */
export function newProbeWorker(input: WorkerInput, { clock, random, events, prober }: Deps): ProbeWorker {
  const { type, probe, container, kind } = input;
  const periodMs = (probe.periodSeconds ?? 10) * 1000;
  const stop = new AbortController();
  let timer: Timer | undefined;
  let busy = false;
  let again = false; // Poked while busy.
  let containerId = '';
  let last: 'success' | 'failure' | undefined;
  let run = 0; // Equal results in a row.
  let onHold = false; // Waits for a new container after a failure that restarts this one.
  let verdict: ProbeVerdict = initial[type];

  const report = (next: ProbeVerdict): void => {
    verdict = next;
    input.onResult(containerId, next);
  };

  function tell(answer: ProbeAnswer): void {
    const about = containerReference(input.pod(), { kind, container });
    if (answer.result === 'failure') events.event(about, 'Warning', reasons.unhealthy, `${titles[type]} probe failed: ${answer.output}`);
    if (answer.result === 'warning')
      events.event(about, 'Warning', reasons.probeWarning, `${titles[type]} probe warning: ${answer.output}`);
    if (answer.result === 'error') {
      events.event(about, 'Warning', reasons.unhealthy, `${titles[type]} probe errored and resulted in unknown state: ${answer.output}`);
    }
  }

  async function attempt(podIp: string): Promise<ProbeAnswer> {
    let answer: ProbeAnswer = { result: 'error', output: '' };
    for (let attempts = 0; attempts < ATTEMPTS_MAX && answer.result === 'error' && !stop.signal.aborted; attempts += 1) {
      answer = await prober.probe(probe, { pod: input.pod(), container, containerId, podIp }, stop.signal);
    }
    return answer;
  }

  function count(result: 'success' | 'failure'): void {
    run = result === last ? run + 1 : 1;
    last = result;
    const needed = result === 'failure' ? (probe.failureThreshold ?? 3) : (probe.successThreshold ?? 1);
    if (run < needed) return;
    if (verdict !== result) report(result);
    if (result === 'failure' && type !== 'readiness') {
      onHold = true; // The container is restarted: its last moments say nothing.
      run = 0;
    }
  }

  /** @param first - What is held of it until its first probe. */
  function adopt(id: string, first: ProbeVerdict): void {
    containerId = id;
    onHold = false;
    last = undefined;
    run = 0;
    report(first);
  }

  /** Milliseconds until the next look; `undefined` when there is nothing more to look at. */
  async function look(): Promise<number | undefined> {
    const seen = input.look();
    if (seen === undefined || seen.containerId === '') return periodMs;
    if (seen.containerId !== containerId) adopt(seen.containerId, initial[type]);
    if (onHold) return periodMs;
    if (!seen.running) {
      if (verdict !== 'failure' && type === 'readiness') report('failure');
      const over = seen.exitCode !== undefined && !shouldRestart(container, input.pod().spec, seen.exitCode);
      return over ? undefined : periodMs;
    }
    const waitMs = seen.startedAtMs + (probe.initialDelaySeconds ?? 0) * 1000 - clock.now();
    if (waitMs > 0) return Math.min(waitMs, periodMs);
    if (type === 'startup' ? seen.started : !seen.started) return periodMs;
    const answer = await attempt(seen.podIp);
    if (stop.signal.aborted || input.look()?.containerId !== containerId) return periodMs;
    input.onAnswer(answer);
    tell(answer);
    if (answer.result !== 'error') count(answer.result === 'failure' ? 'failure' : 'success');
    return periodMs;
  }

  const turn = async (): Promise<void> => {
    if (busy) {
      again = true;
      return;
    }
    timer?.cancel();
    busy = true;
    let nextMs: number | undefined;
    do {
      again = false;
      nextMs = await look();
    } while (again && !stop.signal.aborted);
    busy = false;
    if (nextMs !== undefined && !stop.signal.aborted) timer = clock.after(nextMs, () => void turn());
  };

  // A container that runs already ran before this kubelet did: it stays what it was until a probe says otherwise, and its probes are
  // spread, as after a restart all workers begin at one moment.
  const before = input.look();
  const running = before?.running === true;
  if (before?.running === true) {
    const good = type === 'liveness' || (type === 'startup' ? before.started : before.ready);
    adopt(before.containerId, good ? 'success' : initial[type]);
  }
  timer = clock.after(running ? random.integer(Math.max(1, periodMs)) : 0, () => void turn());

  return {
    poke: () => void turn(),
    stop() {
      stop.abort();
      timer?.cancel();
    },
  };
}
