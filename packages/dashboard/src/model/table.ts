import type { PodView } from '../protocol.ts';

export type PodColumn = 'state' | 'name' | 'namespace' | 'node' | 'ready' | 'restarts' | 'cpu' | 'memory' | 'age';

export interface Sorting {
  readonly column: PodColumn;
  readonly descending: boolean;
}

/** A column that was chosen already turns round; numbers begin with the largest. */
export function nextSorting(sorting: Sorting, column: PodColumn): Sorting {
  const numeric = column === 'restarts' || column === 'cpu' || column === 'memory';
  return { column, descending: sorting.column === column ? !sorting.descending : numeric };
}

/** What needs attention first. */
const urgency: Readonly<Record<PodView['state'], number>> = {
  failing: 0,
  failed: 1,
  unknown: 2,
  pending: 3,
  starting: 4,
  terminating: 5,
  running: 6,
  succeeded: 7,
};

/** Equal rows stand by namespace and name, so that an order never changes by itself. */
export function sortedPods(
  pods: Iterable<PodView>,
  { column, descending }: Sorting,
  usage: (pod: PodView) => readonly [number, number] | undefined,
): PodView[] {
  const keys: Record<PodColumn, (pod: PodView) => number | string> = {
    state: (pod) => urgency[pod.state],
    name: (pod) => pod.name,
    namespace: (pod) => pod.namespace,
    node: (pod) => pod.node,
    ready: (pod) => (pod.total === 0 ? 1 : pod.ready / pod.total),
    restarts: (pod) => pod.restarts,
    cpu: (pod) => usage(pod)?.[0] ?? -1,
    memory: (pod) => usage(pod)?.[1] ?? -1,
    age: (pod) => -pod.createdMs,
  };
  const sign = descending ? -1 : 1;
  const key = keys[column];
  return [...pods]
    .map((pod) => ({ pod, key: key(pod) }))
    .sort((a, b) => sign * compare(a.key, b.key) || compare(a.pod.namespace, b.pod.namespace) || compare(a.pod.name, b.pod.name))
    .map(({ pod }) => pod);
}

const compare = (a: number | string, b: number | string): number => (a < b ? -1 : a > b ? 1 : 0);

export interface RowWindow {
  readonly first: number;
  /** Not included. */
  readonly end: number;
}

/** Which of `total` rows are drawn: those in sight and a few more on both sides. */
export function rowWindow(scrollTop: number, viewHeight: number, rowHeight: number, total: number, more = 6): RowWindow {
  const first = Math.max(0, Math.min(total, Math.floor(scrollTop / rowHeight)) - more);
  return { first, end: Math.min(total, Math.ceil((scrollTop + viewHeight) / rowHeight) + more) };
}
