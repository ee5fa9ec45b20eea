import type { PodState, PodView } from '../protocol.ts';

export interface Filter {
  /** Words that must all be in the name, the namespace, the node or the status; in any case. */
  readonly text: string;
  /** Empty: all. */
  readonly namespace: string;
  /** Empty: all. */
  readonly states: ReadonlySet<PodState>;
  /** Undefined: all. */
  readonly cluster: number | undefined;
}

export const noFilter: Filter = { text: '', namespace: '', states: new Set(), cluster: undefined };

/** Reads the filter once; the function that it returns runs for every pod and frame. */
export function newPodMatcher({ text, namespace, states, cluster }: Filter): (pod: PodView) => boolean {
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  return (pod) => {
    if (cluster !== undefined && pod.cluster !== cluster) return false;
    if (namespace !== '' && pod.namespace !== namespace) return false;
    if (states.size > 0 && !states.has(pod.state)) return false;
    if (words.length === 0) return true;
    const all = `${pod.name} ${pod.namespace} ${pod.node} ${pod.reason}`.toLowerCase();
    return words.every((word) => all.includes(word));
  };
}
