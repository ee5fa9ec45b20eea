import { useEffect, useRef, useState } from 'preact/hooks';
import { newPodMatcher } from '../src/model/filter.ts';
import { formatAge, formatBytes, formatCpu } from '../src/model/format.ts';
import { nextSorting, type PodColumn, rowWindow, type Sorting, sortedPods } from '../src/model/table.ts';
import type { PodView } from '../src/protocol.ts';
import { Shape } from './shape.tsx';
import { series, serverNow, setUi, store, useTopics, useUi } from './state.ts';

const ROW_HEIGHT = 34;

const columns: readonly (readonly [PodColumn, string])[] = [
  ['state', 'Status'],
  ['name', 'Name'],
  ['namespace', 'Namespace'],
  ['node', 'Node'],
  ['ready', 'Ready'],
  ['restarts', 'Restarts'],
  ['cpu', 'CPU'],
  ['memory', 'Memory'],
  ['age', 'Age'],
];

/** All pods as rows, of which only those in sight exist. */
export function PodTable() {
  useTopics('pods', 'samples');
  const { filter, selected } = useUi();
  const [sorting, setSorting] = useState<Sorting>({ column: 'state', descending: false });
  const [sight, setSight] = useState({ top: 0, height: 600 });
  const scroller = useRef<HTMLElement>(null);
  useEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const look = (): void => setSight({ top: element.scrollTop, height: element.clientHeight });
    const sizes = new ResizeObserver(look);
    sizes.observe(element);
    element.addEventListener('scroll', look, { passive: true });
    return () => {
      sizes.disconnect();
      element.removeEventListener('scroll', look);
    };
  }, []);
  const usage = ({ cluster, namespace, name }: PodView) => series.lastOfPod(cluster, namespace, name);
  const rows = sortedPods([...store.pods.values()].filter(newPodMatcher(filter)), sorting, usage);
  const { first, end } = rowWindow(sight.top, sight.height, ROW_HEIGHT, rows.length);
  const spacers = { above: first * ROW_HEIGHT, below: (rows.length - end) * ROW_HEIGHT };
  return (
    <section class="rows" ref={scroller} aria-label="Pods">
      <table aria-rowcount={rows.length + 1}>
        <thead>
          <tr>
            {columns.map(([column, label]) => (
              <th key={column} class={column} aria-sort={sortOf(sorting, column)}>
                <button type="button" onClick={() => setSorting(nextSorting(sorting, column))}>
                  {label}
                  {sorting.column === column && (sorting.descending ? ' ↓' : ' ↑')}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <tr class="spacer" style={{ height: `${spacers.above}px` }} />
          {rows.slice(first, end).map((pod, index) => (
            <Row key={pod.id} pod={pod} index={first + index + 2} selected={selected === pod.id} />
          ))}
          <tr class="spacer" style={{ height: `${spacers.below}px` }} />
        </tbody>
      </table>
      {rows.length === 0 && <p class="empty">No pod fits.</p>}
    </section>
  );
}

function sortOf({ column, descending }: Sorting, shown: PodColumn): 'ascending' | 'descending' | 'none' {
  if (column !== shown) return 'none';
  return descending ? 'descending' : 'ascending';
}

interface RowProps {
  readonly pod: PodView;
  /** Among all rows, the head included. */
  readonly index: number;
  readonly selected: boolean;
}

function Row({ pod, index, selected }: RowProps) {
  const usage = series.lastOfPod(pod.cluster, pod.namespace, pod.name);
  return (
    <tr class={selected ? 'row selected' : 'row'} aria-rowindex={index}>
      <td class={`status ${pod.state}`} title={pod.message}>
        <Shape state={pod.state} /> {pod.reason}
      </td>
      <td>
        <button type="button" class="link" onClick={() => setUi({ selected: pod.id })} title={pod.name}>
          {pod.name}
        </button>
      </td>
      <td>{pod.namespace}</td>
      <td>{pod.node || '–'}</td>
      <td>
        {pod.ready}/{pod.total}
      </td>
      <td>{pod.restarts}</td>
      <td>{usage === undefined ? '–' : formatCpu(usage[0])}</td>
      <td>{usage === undefined ? '–' : formatBytes(usage[1])}</td>
      <td>{formatAge(serverNow() - pod.createdMs)}</td>
    </tr>
  );
}
