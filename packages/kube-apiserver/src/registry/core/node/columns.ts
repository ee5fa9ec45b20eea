import type { Node } from '@orrery/api/core/v1';
import type { Column } from '@orrery/apiserver';
import { ageColumn, nameColumn } from '../../../table/columns.ts';

const ROLE_PREFIX = 'node-role.kubernetes.io/';
const ROLE_LABEL = 'kubernetes.io/role';

/** Source: printNode. */
export const nodeColumns: readonly Column<Node>[] = [
  nameColumn,
  { name: 'Status', description: 'The status of the node', cell: statusText },
  { name: 'Roles', description: 'The roles of the node', cell: rolesText },
  ageColumn,
  { name: 'Version', description: 'Version of the node agent.', cell: ({ status }) => status?.nodeInfo?.kubeletVersion ?? '' },
  { name: 'Internal-IP', priority: 1, description: 'Address inside the cluster.', cell: (node) => addressOf(node, 'InternalIP') },
  { name: 'External-IP', priority: 1, description: 'Address from outside.', cell: (node) => addressOf(node, 'ExternalIP') },
  { name: 'OS-Image', priority: 1, description: 'Operating system.', cell: ({ status }) => status?.nodeInfo?.osImage || '<unknown>' },
  { name: 'Kernel-Version', priority: 1, description: 'Kernel.', cell: ({ status }) => status?.nodeInfo?.kernelVersion || '<unknown>' },
  {
    name: 'Container-Runtime',
    priority: 1,
    description: 'Container runtime and its version.',
    cell: ({ status }) => status?.nodeInfo?.containerRuntimeVersion || '<unknown>',
  },
];

function statusText({ spec, status }: Node): string {
  const ready = (status?.conditions ?? []).find(({ type }) => type === 'Ready');
  const text = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady';
  return spec?.unschedulable === true ? `${text},SchedulingDisabled` : text;
}

function rolesText({ metadata }: Node): string {
  const roles = new Set<string>();
  for (const [label, value] of Object.entries(metadata.labels ?? {})) {
    if (label.startsWith(ROLE_PREFIX) && label.length > ROLE_PREFIX.length) roles.add(label.slice(ROLE_PREFIX.length));
    else if (label === ROLE_LABEL && value !== '') roles.add(value);
  }
  return roles.size === 0 ? '<none>' : [...roles].sort().join(',');
}

function addressOf({ status }: Node, type: string): string {
  return (status?.addresses ?? []).find((address) => address.type === type)?.address ?? '<none>';
}
