import type { Pod } from '@orrery/api/core/v1';
import type { Column } from '@orrery/apiserver';
import { ageColumn, nameColumn } from '../../../table/columns.ts';
import { ageOf } from '../../../table/human-duration.ts';
import { summarisePod } from './summary.ts';

/** Source: printPod. */
export const podColumns: readonly Column<Pod>[] = [
  nameColumn,
  {
    name: 'Ready',
    description: 'The aggregate readiness state of this pod for accepting traffic.',
    cell: (pod) => {
      const { ready, total } = summarisePod(pod);
      return `${ready}/${total}`;
    },
  },
  { name: 'Status', description: 'The aggregate status of the containers in this pod.', cell: (pod) => summarisePod(pod).reason },
  {
    name: 'Restarts',
    description:
      'The number of times the containers in this pod have been restarted and when the last container in this pod has restarted.',
    cell: (pod, nowMs) => {
      const { restarts, lastRestart } = summarisePod(pod);
      return restarts === 0 || lastRestart === '' ? `${restarts}` : `${restarts} (${ageOf(lastRestart, nowMs)} ago)`;
    },
  },
  ageColumn,
  { name: 'IP', priority: 1, description: 'Primary address of the pod.', cell: ({ status }) => status?.podIPs?.[0]?.ip || '<none>' },
  { name: 'Node', priority: 1, description: 'Node that the pod runs on.', cell: ({ spec }) => spec?.nodeName || '<none>' },
  {
    name: 'Nominated Node',
    priority: 1,
    description: 'Node on which preemption makes room for the pod.',
    cell: ({ status }) => status?.nominatedNodeName || '<none>',
  },
  { name: 'Readiness Gates', priority: 1, description: 'Conditions that have to be true beside the containers.', cell: gates },
];

function gates({ spec, status }: Pod): string {
  const wanted = spec?.readinessGates ?? [];
  if (wanted.length === 0) return '<none>';
  const passed = wanted.filter(({ conditionType }) =>
    (status?.conditions ?? []).some((condition) => condition.type === conditionType && condition.status === 'True'),
  );
  return `${passed.length}/${wanted.length}`;
}
