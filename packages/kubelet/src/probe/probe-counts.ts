import type { Pod } from '@orrery/api/core/v1';
import type { ProbeType } from './probe-worker.ts';
import type { ProbeAnswer } from './prober.ts';

/** Counts what probes found, for `/metrics/probes`. Series live as long as their pod's probes. */
export interface ProbeCounts {
  add(type: ProbeType, pod: Pod, container: string, result: ProbeAnswer['result']): void;
  forget(uid: string): void;
  /** In Prometheus' text format. */
  text(): string;
}

const NAME = 'prober_probe_total';
const types: Readonly<Record<ProbeType, string>> = { liveness: 'Liveness', readiness: 'Readiness', startup: 'Startup' };
const results: Readonly<Record<ProbeAnswer['result'], string>> = {
  success: 'successful',
  warning: 'successful',
  failure: 'failed',
  error: 'unknown',
};

/** Source: kubelet prober.ProberResults. */
export function newProbeCounts(): ProbeCounts {
  const pods = new Map<string, Map<string, number>>(); // By uid, by labels.
  return {
    add(type, { metadata: { name, namespace = '', uid } }, container, result) {
      const counts = pods.get(uid) ?? new Map<string, number>();
      pods.set(uid, counts);
      const labels = `container="${container}",namespace="${namespace}",pod="${name}",pod_uid="${uid}",probe_type="${types[type]}",result="${results[result]}"`;
      counts.set(labels, (counts.get(labels) ?? 0) + 1);
    },
    forget: (uid) => void pods.delete(uid),
    text() {
      const lines = [...pods.values()].flatMap((counts) => [...counts].map(([labels, count]) => `${NAME}{${labels}} ${count}\n`));
      if (lines.length === 0) return '';
      return `# HELP ${NAME} Number of liveness, readiness and startup probes of a container, by result\n# TYPE ${NAME} counter\n${lines.join('')}`;
    },
  };
}
